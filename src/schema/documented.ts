/** Schema keyword: the schema that documents show in place of this one. Nothing checks it, and contracts leave it out. */
export const documentedAs = "x-documented-as";

/** The name of a schema in documents, and of a type in generated clients: `order_line` is OrderLine. */
export function titleOf(name: string): string {
  return name.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
