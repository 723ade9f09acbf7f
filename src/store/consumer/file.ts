import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { changesOf } from "../sqlite/changes";
import { type Migrations, migrate } from "../sqlite/migrations";
import { hasMoved } from "../sqlite/moved";
import { makePrivate, refuseForeign } from "../sqlite/private-file";
import { type ReplayTable, replaySchema, replayTable } from "../sqlite/replay-table";
import { type AttemptTable, attemptSchema, attemptTable } from "./attempt-table";
import { type DeadLetterTable, deadLetterTable } from "./dead-letter-table";
import { type WaitingTable, waitingTable } from "./waiting-table";

/** How far a consumer has come in a log. */
export interface Progress {
  /** Everything up to here is settled or waits in this file. */
  readonly position: number;
  /** Everything after `position` and up to here may have reached a handler. */
  readonly begun: number;
}

/** SQL on the consumer's own file, inside the transaction that also notes the event as done. */
export interface Transaction {
  /** Runs a statement; answers how many rows it changed. */
  run(sql: string, ...values: SQLQueryBindings[]): number;
  /** The first row, or undefined. */
  get<Row = Record<string, unknown>>(sql: string, ...values: SQLQueryBindings[]): Row | undefined;
  all<Row = Record<string, unknown>>(sql: string, ...values: SQLQueryBindings[]): Row[];
}

/** What one consumer remembers in a SQLite file of its own. */
export interface ConsumerFile {
  /** Undefined for a consumer that never ran on this log. */
  progress(logId: string): Progress | undefined;
  saveProgress(logId: string, progress: Progress): void;
  /** Notes the event types that it asks for and, the first time only, where it begins. */
  saveFollows(logId: string, start: number, types: readonly string[]): void;
  /** The event types that it asks for in a log. Returns undefined if it has not read that one. */
  followedTypes(logId: string): readonly string[] | undefined;
  /** Events that wait for their next attempt. */
  readonly waiting: WaitingTable;
  readonly dead: DeadLetterTable;
  readonly replays: ReplayTable;
  readonly attempts: AttemptTable;
  /** Counts that the process may have died on this event; answers how often it has. */
  countDeath(eventId: string): number;
  forgetDeaths(eventId: string): void;
  readonly inbox: {
    has(eventId: string): boolean;
    add(eventId: string, now: number): void;
    /** Forgets what was added before a time, in milliseconds since 1970; answers how many. */
    expire(before: number): number;
  };
  /**
   * Takes back what the clock of an earlier process, which was ahead, has put too far into the future. `now` is by
   * {@link steadyNow}.
   */
  bound(now: number): void;
  readonly transaction: Transaction;
  /** Commits what `change` does as one; nested, undoes only its own part when it throws. */
  together<T>(change: () => T): T;
  /** Whether another connection has written into it since the last call. Costs microseconds. */
  changed(): boolean;
  /** Whether it was removed, or another one is in its place: what is written now would be lost. */
  isReplaced(): boolean;
  close(): void;
}

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
  // Of what waits from before, it is not known: a day is the most that anything waits.
  "ALTER TABLE warren_waiting ADD COLUMN delayMs INTEGER NOT NULL DEFAULT 86400000",
];

/**
 * Opens, and at first makes, a consumer's file.
 *
 * @param file `:memory:` for a consumer that leaves nothing behind.
 * @param options.durable whether a commit has to survive a power cut by itself: an effect whose event is acknowledged to a
 * broker has; what is read again from the event log after a power cut has not.
 * @throws {Error} when a newer program wrote it; with `SQLITE_BUSY`, as every write does, while another process has a lock on
 * it ({@link whenUnlocked} waits for that).
 */
export function openConsumerFile(file: string, options: { durable: boolean }): ConsumerFile {
  if (file !== ":memory:") {
    refuseForeign(file);
    makePrivate(file);
  }
  const db = open(file, options.durable ? "FULL" : "NORMAL");
  // Notes of deaths and attempts need not outlive a power cut, and so cost no flush.
  const notes = options.durable ? open(file, "NORMAL") : db;

  const progress: Statement<Progress, [string]> = db.prepare("SELECT position, begun FROM warren_progress WHERE log_id = ?");
  const saveProgress = db.prepare("INSERT OR REPLACE INTO warren_progress VALUES (?, ?, ?)");
  const saveFollows = db.prepare("INSERT INTO warren_follows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET types = excluded.types");
  const followed: Statement<{ types: string }, [string]> = db.prepare("SELECT types FROM warren_follows WHERE log_id = ?");
  const countDeath: Statement<{ count: number }, [string]> = notes.prepare(
    "INSERT INTO warren_deaths VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
  );
  const forgetDeaths = notes.prepare("DELETE FROM warren_deaths WHERE id = ?");
  const inInbox = db.prepare("SELECT 1 FROM warren_inbox WHERE id = ?");
  const addToInbox = db.prepare("INSERT OR REPLACE INTO warren_inbox VALUES (?, ?)");
  const boundInbox = db.prepare("UPDATE warren_inbox SET at = ?1 WHERE at > ?1");
  const expireInbox = db.prepare("DELETE FROM warren_inbox WHERE at < ?");

  const waiting = waitingTable(db);
  const together: ConsumerFile["together"] = (change) => db.transaction(change).immediate();

  return {
    progress: (logId) => progress.get(logId) ?? undefined,
    saveProgress: (logId, { position, begun }) => void saveProgress.run(logId, position, begun),
    saveFollows: (logId, start, types) => void saveFollows.run(logId, start, JSON.stringify(types)),
    followedTypes: (logId) => {
      const found = followed.get(logId);
      return found ? (JSON.parse(found.types) as string[]) : undefined;
    },
    attempts: attemptTable(notes),
    waiting,
    dead: deadLetterTable(db),
    replays: replayTable(db),
    countDeath: (id) => countDeath.get(id)?.count ?? 0,
    forgetDeaths: (id) => void forgetDeaths.run(id),
    inbox: {
      has: (id) => inInbox.get(id) !== null,
      add: (id, now) => void addToInbox.run(id, now),
      expire: (before) => expireInbox.run(before).changes,
    },
    transaction: {
      run: (sql, ...values) => db.query(sql).run(...values).changes,
      get: <Row>(sql: string, ...values: SQLQueryBindings[]) => (db.query(sql).get(...values) as Row | null) ?? undefined,
      all: <Row>(sql: string, ...values: SQLQueryBindings[]) => db.query(sql).all(...values) as Row[],
    },
    together,
    bound: (now) =>
      together(() => {
        waiting.bound(now);
        boundInbox.run(now);
      }),
    changed: changesOf(db),
    isReplaced: () => file !== ":memory:" && hasMoved(db),
    close() {
      if (notes !== db) notes.close();
      db.close();
    },
  };
}

function open(file: string, synchronous: "FULL" | "NORMAL"): Database {
  const db = new Database(file, { create: true, strict: true });
  try {
    for (const pragma of ["journal_mode = WAL", `synchronous = ${synchronous}`]) db.run(`PRAGMA ${pragma}`);
    migrate(db, file, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
