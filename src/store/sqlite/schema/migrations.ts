import type { Database } from "bun:sqlite";
import { CannotOpenStore } from "../../errors";
import { answerLivesSchema, idempotencyKeySchema } from "../changes/answer-table";
import { searchTablesSchema } from "../changes/search-table";
import { sideJournalSchema } from "../changes/side-journal";
import { sideTablesSchema } from "../changes/side-tables";
import { timerIndexes, timerSchema } from "../changes/timer-table";
import { causeSchema } from "../log/causes";
import { recordChecksSchema } from "../records/record-checks";
import { refusalSchema } from "../relay/refusal-table";
import { relayTimesSchema } from "../relay/relay-position";
import { relayTroubleSchema } from "../relay/relay-trouble";
import { refusedColumn, replaySchema } from "../relay/replay-table";
import { scheduleSchema } from "../relay/schedule-table";

/** SQL scripts, each of which upgrades a database by one version. Append only: a released entry never changes. */
export type Migrations = readonly string[];

export const storeMigrations: Migrations = [
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
  -- Consumers' own queues on RabbitMQ, which cannot be asked for a list of its queues.
  CREATE TABLE subscriptions (queue TEXT PRIMARY KEY, types TEXT NOT NULL) STRICT;
  ${replaySchema}`,
  idempotencyKeySchema,
  // For the history of one record. It makes updates slightly slower, but not inserts.
  "CREATE INDEX events_subject ON events (subject)",
  `
  -- Queues on RabbitMQ in which events wait for their next attempt, and when (milliseconds since 1970) each is gone if nobody uses it.
  CREATE TABLE retry_queues (
    queue TEXT NOT NULL, delayMs INTEGER NOT NULL, expiresAt INTEGER NOT NULL, PRIMARY KEY (queue, delayMs)
  ) STRICT, WITHOUT ROWID;
  `,
  // The request that made the change, and the time of RabbitMQ's confirmation.
  `
  ALTER TABLE events ADD COLUMN requestId TEXT;
  ALTER TABLE events ADD COLUMN requestedAt INTEGER;
  ${relayTimesSchema}`,
  // Written by the check whether the store can be written.
  "CREATE TABLE warren_write_check (one INTEGER PRIMARY KEY CHECK (one = 1), filler BLOB NOT NULL) STRICT",
  `
  ALTER TABLE subscriptions ADD COLUMN announcedAt INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE subscriptions ADD COLUMN signedAt INTEGER;
  ${refusalSchema}`,
  recordChecksSchema,
  relayTroubleSchema,
  refusedColumn,
  sideTablesSchema,
  searchTablesSchema,
  sideJournalSchema,
  // To whom the record of an event belongs. Null if its resource has no owner or tenants.
  "ALTER TABLE events ADD COLUMN owner TEXT; ALTER TABLE events ADD COLUMN scope TEXT",
  causeSchema,
  timerSchema,
  answerLivesSchema,
  timerIndexes,
  scheduleSchema,
];

/**
 * Upgrades a database to the newest version.
 *
 * @throws {Error} if a newer program wrote the database.
 */
export function migrate(db: Database, file: string, migrations: Migrations): void {
  // Take no lock if there is nothing to do, so that opening does not wait for another process that is writing.
  if (schemaVersionOf(db) === migrations.length) return;
  db.transaction(() => {
    const version = schemaVersionOf(db);
    refuseNewer(version, file, migrations);
    for (const migration of migrations.slice(version)) db.run(migration);
    db.run(`PRAGMA user_version = ${migrations.length}`);
  }).immediate();
}

export function schemaVersionOf(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

export function refuseNewer(version: number, file: string, migrations: Migrations): void {
  if (version > migrations.length) {
    throw new CannotOpenStore(
      `The database ${file} has schema version ${version}, but this program knows versions up to ${migrations.length}: ` +
        "it was last used by a newer version of Warren. Start that version, or set another file in DATABASE_URL.",
    );
  }
}
