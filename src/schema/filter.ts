import type { TProperties, TSchema } from "@sinclair/typebox";

/**
 * How a list can be filtered by a field.
 * - `prefix`, of text: `?name=Sam` lists what begins so.
 * - `range`, of a number: `?minPrice=1&maxPrice=5`, both included.
 */
export type Filter = "prefix" | "range";
export type Filters = { readonly [field: string]: Filter | undefined };

/** The filters that fields of these types can have. */
export type FiltersFor<Fields> = {
  readonly [Field in keyof Fields]?: NonNullable<Fields[Field]> extends string
    ? "prefix"
    : NonNullable<Fields[Field]> extends number
      ? "range"
      : never;
};

/** The parameters of a list by which it is filtered. */
export type FilterQuery<Of extends Filters> = {
  [Field in keyof Of as Of[Field] extends "prefix" ? Field : never]?: string;
} & {
  [Field in keyof Of & string as Of[Field] extends "range" ? `min${Capitalize<Field>}` | `max${Capitalize<Field>}` : never]?:
    | number
    | string;
};

/** Parameters that every list has. */
const taken = ["limit", "sort", "after", "updatedSince"];

/** The parameters of a filter: one of a prefix, the lower and the upper one of a range. */
export function parametersOf(field: string, filter: Filter | undefined): string[] {
  const capitalized = `${field[0]?.toUpperCase()}${field.slice(1)}`;
  return filter === "range" ? [`min${capitalized}`, `max${capitalized}`] : [field];
}

/** @throws {TypeError} for a filter that its field cannot have, and for an index of what is no filter. */
export function checkFilters(resource: string, fields: TProperties, filters: Filters, indexes: readonly string[]): void {
  const refuse = (what: string) => {
    throw new TypeError(`Resource "${resource}": ${what}`);
  };
  const parameters = new Set(taken);
  for (const [field, filter] of Object.entries(filters)) {
    const schema = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!schema) refuse(`there is no field "${field}" to filter by.`);
    // It stands in a JSON path, and in a query.
    if (!/^[A-Za-z][A-Za-z0-9_]{0,40}$/.test(field)) refuse(`a list cannot be filtered by "${field}": use letters, digits and _.`);
    const types = filter === "range" ? ["number", "integer"] : ["string"];
    const fitting = filter === "range" || filter === "prefix";
    if (!fitting || !typesOf(schema as TSchema).every((type) => types.includes(type)))
      refuse(`"${field}" cannot have the filter "${filter}": "prefix" is for text, "range" for numbers.`);
    for (const parameter of parametersOf(field, filter)) {
      if (parameters.has(parameter)) refuse(`two parameters of its list would be called "${parameter}"; give a field another name.`);
      parameters.add(parameter);
    }
  }
  for (const field of indexes) if (!Object.hasOwn(filters, field)) refuse(`"${field}" has an index, but no filter that would use it.`);
}

/** The types of a field's values, but for null. */
function typesOf(schema: TSchema): string[] {
  if (schema["anyOf"]) return (schema["anyOf"] as TSchema[]).flatMap(typesOf).filter((type) => type !== "null");
  return [String(schema["type"])];
}
