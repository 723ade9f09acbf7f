import type { TObject } from "@sinclair/typebox";
import { type FieldAt, fieldAt } from "./field-at";
import type { At, OneValue, Path, Scalar } from "./paths";

/**
 * How a list can be filtered by a field.
 * - `exact`, for text, numbers and booleans: `?state=open&state=paid` lists the records with one of these values.
 * - `range`, for numbers, dates and times: `?minPrice=1&maxPrice=5`, both inclusive.
 * - `prefix`, for text: `?name=Sam` lists the records whose `name` starts with `Sam`.
 * - `contains`, for arrays of text, numbers or booleans: `?tags=red&tags=new` lists the records with all of these elements.
 */
export type Filter = "exact" | "range" | "prefix" | "contains";
/** Two filters that one field can have together. */
type Both = readonly ["exact", "range"];
/** The filters of a resource, by the path of the field, such as `address.city`. */
export type Filters = { readonly [path: string]: Filter | readonly Filter[] | undefined };

/** The filter that a field allows. If there is no such field, a text that says so in the compiler's message. */
export type FilterFor<Fields, Field extends PropertyKey> =
  Field extends OneValue<Path<Fields>> ? FilterForValue<At<Fields, Field>> : `no field "${Field & string}"`;
type FilterForValue<Value> = Value extends readonly Scalar[]
  ? "contains"
  : Value extends string
    ? "exact" | "prefix" | "range" | Both
    : Value extends number
      ? "exact" | "range" | Both
      : Value extends boolean
        ? "exact"
        : never;

/** The query parameters of these filters. */
export type FilterQuery<Of extends Filters, Fields> = {
  [P in keyof Of & string as Of[P] extends "prefix" ? P : never]?: string;
} & {
  [P in keyof Of & string as Of[P] extends "exact" | Both ? P : never]?: Values<At<Fields, P>>;
} & {
  [P in keyof Of & string as Of[P] extends "exact" | Both ? (MayBeNull<Fields, P> extends true ? `${P}.null` : never) : never]?:
    | true
    | "true";
} & {
  [P in keyof Of & string as Of[P] extends "contains" ? P : never]?: Values<At<Fields, P> extends readonly (infer E)[] ? E : never>;
} & {
  [P in keyof Of & string as Of[P] extends "range" | Both ? `min${Capitalize<P>}` | `max${Capitalize<P>}` : never]?:
    | (At<Fields, P> extends number ? number : never)
    | string;
};

type Values<Value> = Sent<Value> | readonly Sent<Value>[];
type Sent<Value> = Value extends boolean ? boolean | "true" | "false" : Value extends number ? number | string : Value;
type MayBeNull<T, P> = P extends keyof T
  ? IsNullable<T[P]>
  : P extends `${infer Key}.${infer Rest}`
    ? Key extends keyof T
      ? true extends IsNullable<T[Key]>
        ? true
        : MayBeNull<NonNullable<T[Key]>, Rest>
      : never
    : never;
type IsNullable<Value> = null extends Value ? true : undefined extends Value ? true : false;

/** Returns the filters that a field has, as an array. */
export function filtersOf(filter: Filters[string]): readonly Filter[] {
  return typeof filter === "string" ? [filter] : (filter ?? []);
}

/** Returns the names of a filter's query parameters: the values and the null of `exact`; the minimum and the maximum of `range`. */
export function parametersOf(path: string, filter: Filter): readonly [string, string?] {
  const capitalized = `${path[0]?.toUpperCase()}${path.slice(1)}`;
  if (filter === "range") return [`min${capitalized}`, `max${capitalized}`];
  return filter === "exact" ? [path, `${path}.null`] : [path];
}

/** Query parameters that every list may have. */
const taken = ["limit", "sort", "after", "updatedSince", "search", "count", "expand"];

/** The form of a path to filter, sort or search by. The path is used in a JSON path and in query parameters. */
const usable = /^[A-Za-z][A-Za-z0-9_]{0,40}(\.[A-Za-z][A-Za-z0-9_]{0,40}){0,3}$/;

/**
 * Checks the filters and indexes of a resource.
 *
 * @throws {TypeError} if a field does not exist or does not allow its filter, its name is not usable, two query parameters would
 *   have the same name, or an indexed field has no filter.
 */
export function checkFilters(resource: string, fields: TObject, filters: Filters, indexes: readonly string[]): void {
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${resource}": ${what}`);
  };
  const parameters = new Set(taken);
  for (const [path, declared] of Object.entries(filters)) {
    const field = pathIn(resource, fields, path, "a filter");
    for (const filter of filtersOf(declared)) {
      const allowed = allowedFor(field);
      if (!allowed.includes(filter))
        refuse(`the field "${path}" cannot have the filter "${filter}"; ${allowed.length > 0 ? `use ${listed(allowed)}` : advice}.`);
      for (const parameter of parametersOf(path, filter)) {
        if (parameter === undefined) continue;
        if (parameters.has(parameter)) refuse(`two query parameters would be named "${parameter}"; rename a field.`);
        parameters.add(parameter);
      }
    }
  }
  for (const field of indexes)
    if (!Object.hasOwn(filters, field)) refuse(`the field "${field}" has an index but no filter; add a filter or remove the index.`);
}

/**
 * Returns the field at a path.
 *
 * @param use what the path is for: "a filter".
 * @throws {TypeError} if there is none, or its name is not usable.
 */
export function pathIn(resource: string, fields: TObject, path: string, use: string): FieldAt {
  const field = fieldAt(fields, path);
  if (!field) throw new TypeError(`Resource "${resource}": ${use} names the field "${path}", which does not exist.`);
  if (usable.test(path)) return field;
  throw new TypeError(
    `Resource "${resource}": the field "${path}" cannot have ${use}; its name may contain only letters, digits and _, with a letter first.`,
  );
}

const advice = 'only text, numbers, booleans and arrays of them have filters; use a field inside, such as "address.city"';

function allowedFor({ types, format, elements }: FieldAt): readonly Filter[] {
  if (isOnly(types, "array")) return elements && isScalar(elements.types) ? ["contains"] : [];
  if (isOnly(types, "number", "integer")) return ["exact", "range"];
  if (format === "date-time") return ["exact", "range"];
  if (format === "date") return ["exact", "range", "prefix"];
  if (isOnly(types, "string")) return ["exact", "prefix"];
  return isScalar(types) ? ["exact"] : [];
}

/** Returns whether values are all text, all numbers or all booleans. Of several types, a parameter could not say which is meant. */
function isScalar(types: readonly string[]): boolean {
  return isOnly(types, "string") || isOnly(types, "number", "integer") || isOnly(types, "boolean");
}

function isOnly(types: readonly string[], ...allowed: readonly string[]): boolean {
  return types.length > 0 && types.every((type) => allowed.includes(type));
}

function listed(filters: readonly Filter[]): string {
  return filters.map((filter) => `"${filter}"`).join(" or ");
}
