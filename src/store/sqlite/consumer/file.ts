import { Database, type Statement } from "bun:sqlite";
import type { AttemptTable } from "../../consumer/attempt-table";
import type { ConsumerStore } from "../../consumer/store";
import type { Transaction } from "../../consumer/transaction";
import { hasMoved } from "../connection/moved";
import { refuseMoved } from "../connection/moved-away";
import { makePrivate, refuseForeign } from "../connection/private-file";
import { changesOf } from "../log/changes";
import { refusedColumn, replaySchema } from "../relay/replay-table";
import { type Migrations, migrate, refuseNewer, schemaVersionOf } from "../schema/migrations";
import { attemptSchema, attemptTable } from "./attempt-table";
import { consumerFile, SqliteConsumerData } from "./data";
import { inTurn } from "./in-turn";

const migrations: Migrations = [
  `
  CREATE TABLE warren_progress (log_id TEXT PRIMARY KEY, position INTEGER NOT NULL, begun INTEGER NOT NULL) STRICT;
  CREATE TABLE warren_waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL, dueAt INTEGER NOT NULL,
    firstFailure TEXT, replay TEXT NOT NULL, begun INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX warren_waiting_due ON warren_waiting (dueAt, number);
  CREATE TABLE warren_dead (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, type TEXT, body TEXT NOT NULL, reason TEXT NOT NULL, error TEXT NOT NULL,
    stack TEXT, attempts INTEGER NOT NULL, firstFailure TEXT NOT NULL, lastFailure TEXT NOT NULL, replay TEXT NOT NULL
  ) STRICT;
  CREATE INDEX warren_dead_id ON warren_dead (id);
  CREATE TABLE warren_deaths (id TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE warren_inbox (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX warren_inbox_at ON warren_inbox (at);
  ${replaySchema}`,
  `
  ALTER TABLE warren_waiting ADD COLUMN traceparent TEXT;
  ALTER TABLE warren_dead ADD COLUMN traceparent TEXT;`,
  `
  -- Where it began in a log, and the event types that it asks for.
  CREATE TABLE warren_follows (log_id TEXT PRIMARY KEY, start INTEGER NOT NULL, types TEXT NOT NULL) STRICT;
  ${attemptSchema}`,
  // The delay of events that already wait is unknown, so assume the maximum: one day.
  "ALTER TABLE warren_waiting ADD COLUMN delayMs INTEGER NOT NULL DEFAULT 86400000",
  refusedColumn,
];

/**
 * Opens a consumer's file. Creates it if it does not exist.
 *
 * @param file path of the file, or `:memory:` for a consumer that leaves nothing behind.
 * @param options.durable whether each commit must survive a power cut. It must if events are acknowledged to a broker. It need
 *   not if events are read again from the event log after a power cut.
 * @throws {Error} if a newer program wrote the file, what it keeps has moved, or it is not a SQLite database. This throws, and every write rejects with,
 *   `SQLITE_BUSY` while another process holds a lock on the file ({@link whenUnlocked} waits for that).
 */
export function openConsumerFile(file: string, options: { durable: boolean }): ConsumerStore {
  if (file !== ":memory:") {
    refuseForeign(file);
    refuseMoved(file);
    makePrivate(file);
  }
  const db = open(file, options.durable ? "FULL" : "NORMAL");
  // Deaths and attempts need not survive a power cut, so a connection without flushes writes them.
  return new SqliteConsumerStore(file, db, options.durable ? open(file, "NORMAL") : db);
}

/** @throws {Error} if the file was last used by another version of the program. */
export function checkConsumerVersion(db: Database, file: string): void {
  // A database may be open with exact integers.
  const version = Number(schemaVersionOf(db));
  refuseNewer(version, file, migrations);
  if (version === migrations.length) return;
  throw new Error(
    `The file ${file} was last used by an older version of Warren: it has schema version ${version} of ${migrations.length}. ` +
      "Start its consumer of this version with it once, which upgrades it, and stop it again.",
  );
}

class SqliteConsumerStore extends SqliteConsumerData implements ConsumerStore {
  readonly attempts: AttemptTable;
  readonly #changed: () => boolean;
  readonly #countDeath: Statement<{ count: number }, [string]>;
  readonly #forgetDeaths: Statement;

  /** @param notes connection that writes deaths and attempts. */
  constructor(
    readonly path: string,
    readonly db: Database,
    readonly notes: Database,
  ) {
    super(consumerFile(db));
    this.#changed = changesOf(db);
    this.attempts = inTurn(this.turns, attemptTable(notes));
    this.#countDeath = notes.prepare("INSERT INTO warren_deaths VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count");
    this.#forgetDeaths = notes.prepare("DELETE FROM warren_deaths WHERE id = ?");
  }

  setUp(setup: (tx: Transaction) => Promise<void>): Promise<void> {
    return this.together(({ transaction }) => setup(transaction));
  }

  countDeath(eventId: string): Promise<number> {
    return this.turns.run(() => this.#countDeath.get(eventId)?.count ?? 0);
  }

  forgetDeaths(eventId: string): Promise<void> {
    return this.turns.run(() => void this.#forgetDeaths.run(eventId));
  }

  bound(now: number): Promise<void> {
    return this.together(async () => {
      this.file.waiting.bound(now);
      this.file.inbox.bound(now);
    });
  }

  changed(): Promise<boolean> {
    return this.turns.run(() => this.#changed());
  }

  async isReplaced(): Promise<boolean> {
    return this.path !== ":memory:" && hasMoved(this.db);
  }

  close(): Promise<void> {
    return this.turns.run(() => {
      if (this.notes !== this.db) this.notes.close();
      this.db.close();
    });
  }
}

function open(file: string, synchronous: "FULL" | "NORMAL"): Database {
  const db = new Database(file, { create: true, strict: true });
  try {
    // With secure_delete, what a handler deletes of an erased record is overwritten in the file.
    for (const pragma of ["journal_mode = WAL", `synchronous = ${synchronous}`, "secure_delete = ON"]) db.run(`PRAGMA ${pragma}`);
    migrate(db, file, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
