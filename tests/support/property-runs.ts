/** Factor of the number of runs of a property: the deep suite makes more of them. Default: 1. */
export const propertyFactor = Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** True in the deep suite, in which each property has all of its runs on PostgreSQL, too. */
export const isInFull = propertyFactor > 1;

/** Returns the parameters of a property that runs `few` times in the fast tests. */
export function runs(few: number): { readonly numRuns: number } {
  return { numRuns: few * propertyFactor };
}

/** Returns how often to do something that takes long: `count` times in the deep suite, and a tenth of that in the fast tests. */
export function fewer(count: number): number {
  return Math.ceil((count * propertyFactor) / 10);
}
