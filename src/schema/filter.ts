import type { TProperties, TSchema } from "@sinclair/typebox";

/**
 * How a list can be filtered by a field.
 * - `prefix`, for text: `?name=Sam` lists the records whose `name` starts with `Sam`.
 * - `range`, for numbers: `?minPrice=1&maxPrice=5`, both inclusive.
 */
export type Filter = "prefix" | "range";
/** The filters of a resource, by field. */
export type Filters = { readonly [field: string]: Filter | undefined };

/** The filter that a field allows. If there is no such field, a text that says so in the compiler's message. */
export type FilterFor<Fields, Field extends PropertyKey> = Field extends keyof Fields
  ? NonNullable<Fields[Field]> extends string
    ? "prefix"
    : NonNullable<Fields[Field]> extends number
      ? "range"
      : never
  : `no field "${Field & string}"`;

/** The query parameters of these filters. */
export type FilterQuery<Of extends Filters> = {
  [Field in keyof Of as Of[Field] extends "prefix" ? Field : never]?: string;
} & {
  [Field in keyof Of & string as Of[Field] extends "range" ? `min${Capitalize<Field>}` | `max${Capitalize<Field>}` : never]?:
    | number
    | string;
};

/** Query parameters that every list has. */
const taken = ["limit", "sort", "after", "updatedSince"];

/** Returns the query parameters of a filter: one for a prefix; the minimum and the maximum for a range. */
export function parametersOf(field: string, filter: Filter | undefined): string[] {
  const capitalized = `${field[0]?.toUpperCase()}${field.slice(1)}`;
  return filter === "range" ? [`min${capitalized}`, `max${capitalized}`] : [field];
}

/**
 * Checks the filters and indexes of a resource.
 *
 * @throws {TypeError} if a field does not exist or does not allow its filter, its name is not usable, two query parameters would
 *   have the same name, or an indexed field has no filter.
 */
export function checkFilters(resource: string, fields: TProperties, filters: Filters, indexes: readonly string[]): void {
  const refuse = (what: string) => {
    throw new TypeError(`Resource "${resource}": ${what}`);
  };
  const parameters = new Set(taken);
  for (const [field, filter] of Object.entries(filters)) {
    const schema = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!schema) refuse(`the filter "${field}" does not name a field.`);
    // The name is used in a JSON path and in query parameters.
    if (!/^[A-Za-z][A-Za-z0-9_]{0,40}$/.test(field))
      refuse(`the field "${field}" cannot have a filter; its name may contain only letters, digits and _, with a letter first.`);
    const types = filter === "range" ? ["number", "integer"] : ["string"];
    const fitting = filter === "range" || filter === "prefix";
    if (!fitting || !typesOf(schema as TSchema).every((type) => types.includes(type)))
      refuse(`the field "${field}" cannot have the filter "${filter}"; use "prefix" for strings and "range" for numbers.`);
    for (const parameter of parametersOf(field, filter)) {
      if (parameters.has(parameter)) refuse(`two query parameters would be named "${parameter}"; rename a field.`);
      parameters.add(parameter);
    }
  }
  for (const field of indexes)
    if (!Object.hasOwn(filters, field)) refuse(`the field "${field}" has an index but no filter; add a filter or remove the index.`);
}

/** Returns the types of a field's values, except null. */
function typesOf(schema: TSchema): string[] {
  if (schema["anyOf"]) return (schema["anyOf"] as TSchema[]).flatMap(typesOf).filter((type) => type !== "null");
  return [String(schema["type"])];
}
