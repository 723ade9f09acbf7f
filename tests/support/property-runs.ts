/** Factor of the number of runs of a property: the deep suite makes more of them. Default: 1. */
export const propertyFactor = Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** Returns the parameters of a property that runs `few` times in the fast tests. */
export function runs(few: number): { readonly numRuns: number } {
  return { numRuns: few * propertyFactor };
}
