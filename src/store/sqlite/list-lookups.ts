import { isTimeAt } from "../../schema/field-at";
import type { Resource } from "../../schema/resource";
import type { Condition } from "../listing";
import { uniqueValueOf } from "../unique-values";
import { elementPaths } from "./element-table";
import { elementsOf, stored } from "./list-keys";
import type { PendingEntries, PendingTables } from "./pending-entries";
import { elementTableName, referenceTableName, uniqueTableName } from "./side-tables";

/** A table that has the ids of records by the values of a field, which serves the field's filter as an index. */
export interface Lookup {
  readonly table: string;
  /** Returns the values to look up. Undefined if the table does not find all records that match. */
  keysOf(condition: Condition): readonly (string | number | null)[] | undefined;
  /** Returns whether all records that the table finds match the condition. */
  isWhole(condition: Condition): boolean;
  /** The changes that are not in the table yet. Undefined if it is always complete. */
  readonly pending?: PendingEntries;
}

/** Returns the tables that serve the filters of a resource, by path: those of arrays, of references and of unique values. */
export function lookupsOf(resource: Resource, pending: PendingTables): ReadonlyMap<string, Lookup> {
  const { plural, references, unique, fields } = resource;
  const keys = unique.filter(({ paths: [path = ""], ...key }) => key.name === path && key.within.length === 0 && !isTimeAt(fields, path));
  const sideTable = (table: string) => ({ table, pending: pending.of(table) });
  return new Map<string, Lookup>([
    ...keys.map((key): [string, Lookup] => {
      const uniqueValue = uniqueValueOf(key);
      const keysOf = valuesOf((value) => uniqueValue(recordWith(key.name, value)));
      // Different texts may have the same key.
      return [key.name, { ...sideTable(uniqueTableName(plural, key.name)), keysOf, isWhole: () => false }];
    }),
    ...references.map(({ path }): [string, Lookup] => {
      return [path, { ...sideTable(referenceTableName(plural, path)), keysOf: valuesOf(stored), isWhole: () => true }];
    }),
    ...elementPaths(resource).map((path): [string, Lookup] => {
      const keysOf = ({ contains }: Condition) => contains?.slice(0, 1).map(stored);
      return [path, { table: elementTableName(plural, path), keysOf, isWhole: ({ contains }) => contains?.length === 1 }];
    }),
  ]);
}

/** Returns a function that returns the keys of the values of `exact`. No such table has null. */
function valuesOf(keyOf: (value: string | number | boolean) => string | number | null): Lookup["keysOf"] {
  return ({ exact }) => {
    const values = exact?.filter((value) => value !== null);
    return values?.length === exact?.length ? values?.map(keyOf) : undefined;
  };
}

function recordWith(path: string, value: unknown): object {
  return path.split(".").reduceRight((inside, name) => ({ [name]: inside }), value) as object;
}

/** Returns SQL for the ids that a table has for some keys, in any order. */
export function idsIn(lookup: Lookup, keys: string, parameters: readonly [changed: string, added: string]): string {
  const { table, where, also } = partsOf(lookup, keys, parameters);
  const ids = `SELECT id FROM ${table} WHERE ${where.join(" AND ")}`;
  return also === undefined ? ids : `${ids} UNION ALL ${also}`;
}

/**
 * Returns SQL for the ids that a table has for some keys: those in the table, and those that are not in it yet. The field has one value,
 * so that a record whose entry has changed has no other entry.
 *
 * @param parameters names of the parameters that have the ids whose entries have changed, and those that have one now, as JSON.
 */
export function partsOf({ table, pending }: Lookup, keys: string, [changed, added]: readonly [changed: string, added: string]) {
  const hasKey = `key ${keys}`;
  if (!pending) return { table: `"${table}"`, where: [hasKey], also: undefined };
  return {
    table: `"${table}"`,
    where: [hasKey, `id NOT IN (${elementsOf(changed)})`],
    also: `SELECT value AS id FROM json_each(${added})`,
  };
}

/** Returns the values of the parameters of {@link idsIn}, as JSON. */
export function pendingIn(
  { pending }: Lookup,
  keys: readonly (string | number | null)[],
): { changed: string | null; added: string | null } {
  if (!pending) return { changed: null, added: null };
  const { changed, added } = pending.changesOf(keys.filter((key) => key !== null));
  return { changed: JSON.stringify(changed), added: JSON.stringify(added) };
}
