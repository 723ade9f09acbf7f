import type { Database } from "bun:sqlite";
import type { Resource } from "../../schema/resource";
import { reversed, type SortKey, sortKeys } from "../../schema/sort";
import { elementPaths } from "./element-table";
import { keyOf } from "./list-keys";

/** An index of a resource's table: records in the order of some fields, and then of their ids. */
export interface ListIndex {
  readonly name: string;
  /** The last one is ascending, as the ids are. */
  readonly keys: readonly SortKey[];
}

/**
 * Returns the indexes that the lists of a resource need. They index expressions on the JSON, so that each value is stored in the
 * record only.
 */
export function indexesOf(resource: Resource): ListIndex[] {
  const { plural, indexes, sorts } = resource;
  const arrays = new Set(elementPaths(resource));
  const single = ["createdAt", "updatedAt", ...indexes.filter((path) => !arrays.has(path))].map((path) => [path]);
  const all = [...single, ...sorts].map((order) => (order.at(-1)?.startsWith("-") ? reversed(order) : order));
  const orders = [...all, ...limitFields(resource).flatMap((fields) => [fields, ...all.map((order) => [...fields, ...order])])];
  // The dot prevents a conflict with the name of a table.
  const named = orders.map((order): [string, ListIndex] => {
    const name = `${plural}.${order.join(",")}`;
    return [name, { name, keys: sortKeys(order) }];
  });
  return [...new Map(named).values()];
}

/**
 * Returns the fields that limit what an actor sees in a list: those of tenant and owner, of which one or both may apply. Each sort order
 * has an index that begins with them, so that a list reads nothing of others.
 */
export function limitFields({ access: { owner, scope } }: Resource): string[][] {
  const fields = [...(scope ? [scope.field] : []), ...(owner === undefined ? [] : [owner])];
  return fields.length < 2 ? fields.map((field) => [field]) : [fields.slice(0, 1), fields];
}

/** Creates the missing indexes for the lists of a resource, also in an existing database, and drops those no longer needed. */
export function keepIndexes(db: Database, resource: Resource): void {
  const { plural } = resource;
  const wanted = new Map(indexesOf(resource).map((index) => [index.name, creationOf(resource, index)]));
  const present = db
    .query<{ name: string; sql: string }, [string]>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql NOT NULL",
    )
    .all(plural);
  // Keep indexes that an operator created by hand: their names have no such prefix.
  const stale = present.filter(({ name, sql }) => name.startsWith(`${plural}.`) && wanted.get(name) !== sql);
  const missing = [...wanted].filter(([name, sql]) => !present.some((one) => one.name === name && one.sql === sql));
  if (stale.length + missing.length === 0) return;
  db.transaction(() => {
    for (const { name } of stale) db.run(`DROP INDEX "${name}"`);
    for (const [, sql] of missing) db.run(sql);
  }).immediate();
}

function creationOf(resource: Resource, { name, keys }: ListIndex): string {
  const columns = keys.map(({ path, descending }) => `${keyOf(resource, path)}${descending ? " DESC" : ""}`);
  return `CREATE INDEX "${name}" ON "${resource.plural}" (${columns.join(", ")})`;
}
