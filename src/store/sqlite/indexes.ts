import type { Database } from "bun:sqlite";
import type { Resource } from "../../schema/resource";

/** SQL for the value of a field in a record. SQLite uses an index only if the query contains exactly the same expression. */
export function storedField(field: string): string {
  return `json_extract(json, '$."${field}"')`;
}

/** Quoted name of the index of a field. The dot prevents a conflict with the name of a table. */
export function indexName(table: string, field: string): string {
  return `"${table}.${field}"`;
}

/**
 * Creates the missing indexes for the lists of a resource, also in an existing database, and drops those no longer needed. They
 * index expressions on the JSON, so that each value is stored in the record only.
 */
export function keepIndexes(db: Database, { plural, indexes }: Resource): void {
  const wanted = new Map(
    ["createdAt", "updatedAt", ...indexes].map((field) => [
      `${plural}.${field}`,
      `CREATE INDEX ${indexName(plural, field)} ON "${plural}" (${storedField(field)})`,
    ]),
  );
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
