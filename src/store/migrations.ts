import type { Database } from "bun:sqlite";

/** Each entry takes the database one version up. Append only: an entry that was released never changes. */
const migrations: readonly string[] = [
  `
  CREATE TABLE events (
    position    INTEGER PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT: a position is never used again
    id          TEXT NOT NULL,
    type        TEXT NOT NULL,
    subject     INTEGER NOT NULL,
    timestamp   TEXT NOT NULL,
    body        TEXT NOT NULL,
    traceparent TEXT
  ) STRICT;
  CREATE TABLE relay (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL
  ) STRICT;
  INSERT INTO relay VALUES (1, 0);
  -- Tells a consumer that its position belongs to this log and not to one that was here before.
  CREATE TABLE meta (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    log_id TEXT NOT NULL
  ) STRICT;
  INSERT INTO meta VALUES (1, lower(hex(randomblob(16))));
  `,
];

export const schemaVersion = migrations.length;

/** @throws {Error} when the database was written by a newer program. */
export function migrate(db: Database, file: string): void {
  db.transaction(() => {
    const version = schemaVersionOf(db);
    refuseNewer(version, file);
    for (const migration of migrations.slice(version)) db.run(migration);
    db.run(`PRAGMA user_version = ${schemaVersion}`);
  }).immediate();
}

export function schemaVersionOf(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

export function refuseNewer(version: number, file: string): void {
  if (version > schemaVersion) {
    throw new Error(
      `The database ${file} has schema version ${version}, but this program knows versions up to ${schemaVersion}: ` +
        "it was last used by a newer Warren. Start that one, or give another file in DATABASE_URL.",
    );
  }
}
