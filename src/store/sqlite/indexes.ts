import type { Database } from "bun:sqlite";
import type { Resource } from "../../schema/resource";

/** The value of a field in a record. An index serves a query only where both say it in the same words. */
export function storedField(field: string): string {
  return `json_extract(json, '$."${field}"')`;
}

/** The dot keeps it from ever being the name of a table. */
export function indexName(table: string, field: string): string {
  return `"${table}.${field}"`;
}

/**
 * Makes the indexes that the lists of a resource need, of a database from before too, and drops those that they need no
 * more. They are on the values in the JSON: a record is stored once.
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
  // An operator may have made one by hand, which has a name of another form.
  const stale = present.filter(({ name, sql }) => name.startsWith(`${plural}.`) && wanted.get(name) !== sql);
  const missing = [...wanted].filter(([name, sql]) => !present.some((one) => one.name === name && one.sql === sql));
  if (stale.length + missing.length === 0) return;
  db.transaction(() => {
    for (const { name } of stale) db.run(`DROP INDEX "${name}"`);
    for (const [, sql] of missing) db.run(sql);
  }).immediate();
}
