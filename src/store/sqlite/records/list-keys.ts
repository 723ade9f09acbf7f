import { isTimeAt } from "../../../schema/field-at";
import type { Resource } from "../../../schema/resource";

/** SQL for the value at a path in a record. SQLite uses an index only if the query contains exactly the same expression. */
export function storedField(path: string, json = "json"): string {
  return `json_extract(${json}, '${jsonPath(path)}')`;
}

/** The path as SQLite writes it: `$."address"."city"`. */
export function jsonPath(path: string): string {
  return `$${path
    .split(".")
    .map((name) => `."${name}"`)
    .join("")}`;
}

/**
 * Returns SQL for what a field is compared by. It is the value itself, but the seconds since 1970 for a time: as text, times with
 * different offsets have another order.
 */
export function keyOf(resource: Pick<Resource, "fields">, path: string, json?: string): string {
  return comparable(resource, path, storedField(path, json));
}

/** Returns SQL that converts a value, such as that of a parameter, to what the field is compared by. */
export function comparable({ fields }: Pick<Resource, "fields">, path: string, value: string): string {
  return isTimeAt(fields, path) ? secondsOf(value) : value;
}

/**
 * SQL for the seconds since 1970 of a time in RFC 3339. SQLite does not know all of its forms: a small t, a leap second, and offsets
 * without a colon or minutes, which the check of formats accepts. Null for other text, such as `now`, with which an index would fail.
 */
function secondsOf(value: string): string {
  const text = `upper(replace(replace(${value}, ' ', 'T'), ':60', ':59'))`;
  const seconds = (time: string) => `unixepoch(${time}, 'subsec')`;
  return `CASE
    WHEN ${text} GLOB '[0-9]*[+-][0-9][0-9][0-9][0-9]' THEN ${seconds(`substr(${text}, 1, length(${text}) - 2) || ':' || substr(${text}, -2)`)}
    WHEN ${text} GLOB '[0-9]*[+-][0-9][0-9]' THEN ${seconds(`${text} || ':00'`)}
    WHEN ${text} GLOB '[0-9]*' THEN ${seconds(text)} END`;
}

/** An array as SQL for a parameter: its elements as rows of `value`. */
export function elementsOf(parameter: string): string {
  return `SELECT value FROM json_each(${parameter})`;
}
