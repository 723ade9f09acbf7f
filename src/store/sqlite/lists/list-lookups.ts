import type { Lookup } from "../../list-lookups";
import type { PendingEntries, PendingTables } from "../changes/pending-entries";
import { elementTableName, referenceTableName, uniqueTableName } from "../changes/side-tables";
import { elementsOf } from "../records/list-keys";

/** The table of a {@link Lookup}. */
export interface LookupTable {
  readonly table: string;
  /** The changes that are not in the table yet. Undefined if it is always complete. */
  readonly pending?: PendingEntries;
}

export function tableOf(plural: string, { kind, path }: Lookup, pending: PendingTables): LookupTable {
  if (kind === "elements") return { table: elementTableName(plural, path) };
  const table = kind === "unique" ? uniqueTableName(plural, path) : referenceTableName(plural, path);
  return { table, pending: pending.of(table) };
}

/** Returns SQL for the ids that a table has for some keys, in any order. */
export function idsIn(lookup: LookupTable, keys: string, parameters: readonly [changed: string, added: string]): string {
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
export function partsOf({ table, pending }: LookupTable, keys: string, [changed, added]: readonly [changed: string, added: string]) {
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
  { pending }: LookupTable,
  keys: readonly (string | number | null)[],
): { changed: string | null; added: string | null } {
  if (!pending) return { changed: null, added: null };
  const { changed, added } = pending.changesOf(keys.filter((key) => key !== null));
  return { changed: JSON.stringify(changed), added: JSON.stringify(added) };
}
