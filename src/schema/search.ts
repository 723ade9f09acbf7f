import type { TObject } from "@sinclair/typebox";
import { pathIn } from "./filter";
import type { OneValue, PathTo } from "./paths";

/** The given path if it leads to text. Else a text for the compiler's message. */
export type SearchFor<Fields, Given> = Given extends OneValue<PathTo<Fields, string>> ? Given : `no text field "${Given & string}"`;

/**
 * Checks the fields of the full-text search.
 *
 * @throws {TypeError} if a field does not exist, is not text or is named twice.
 */
export function checkSearch(resource: string, fields: TObject, search: readonly string[]): void {
  for (const [index, path] of search.entries()) {
    const { types } = pathIn(resource, fields, path, "the search");
    if (types.some((type) => type !== "string"))
      throw new TypeError(`Resource "${resource}": the field "${path}" cannot be searched, because it is not text.`);
    if (search.indexOf(path) < index) throw new TypeError(`Resource "${resource}": the search names the field "${path}" twice.`);
  }
}
