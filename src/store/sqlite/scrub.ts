import { Database } from "bun:sqlite";

/** Rewrites a database that no process has open, so that its files have nothing that was deleted. It takes as much space once more. */
export function scrub(file: string): void {
  const db = new Database(file, { strict: true });
  try {
    // A full-text index marks what is deleted, and drops it when its parts are merged.
    const indexes = db
      .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'")
      .all();
    for (const { name } of indexes) db.run(`INSERT INTO "${name}"("${name}") VALUES ('optimize')`);
    db.run("VACUUM");
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}
