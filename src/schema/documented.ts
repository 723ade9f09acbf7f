/** Keyword for a schema that API documents show in place of this one. Validation ignores it, and contracts omit it. */
export const documentedAs = "x-documented-as";

/** Returns the name of a schema in API documents, and of a type in generated clients: `order_line` becomes `OrderLine`. */
export function titleOf(name: string): string {
  return name.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
