import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import { indexesOf, type ListIndex } from "../../list-indexes";
import { keyOf } from "../records/list-keys";

/** Returns the name of an index in the database. The dot prevents a conflict with the name of a table. */
export function indexName(plural: string, { name }: ListIndex): string {
  return `${plural}.${name}`;
}

/** Creates the missing indexes for the lists of a resource, also in an existing database, and drops those no longer needed. */
export function keepIndexes(db: Database, resource: Resource): void {
  const { plural } = resource;
  const wanted = new Map(indexesOf(resource).map((index) => [indexName(plural, index), creationOf(resource, index)]));
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

/** The indexed expressions are on the JSON, so that each value is stored in the record only. */
function creationOf(resource: Resource, index: ListIndex): string {
  const columns = index.keys.map(({ path, descending }) => `${keyOf(resource, path)}${descending ? " DESC" : ""}`);
  return `CREATE INDEX "${indexName(resource.plural, index)}" ON "${resource.plural}" (${columns.join(", ")})`;
}
