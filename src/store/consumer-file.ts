import { Database, type Statement } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** An event that waits for its next attempt. */
export interface Parked {
  readonly position: number;
  readonly body: string;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly firstFailure: string;
  readonly lastFailure: string;
  readonly error: string;
}

/** An event that was given up. */
export interface DeadLetter extends Omit<Parked, "dueAt"> {
  readonly reason: string;
  readonly stack: string | null;
}

/** What a consumer without a broker remembers: how far it has come, what waits, and what it gave up. */
export interface ConsumerFile {
  /** The last position that is settled, or undefined for a consumer that never ran on this log. */
  position(logId: string): number | undefined;
  save(logId: string, position: number): void;
  /** Keeps an event for later, or again for later. */
  park(parked: Parked): void;
  bury(dead: DeadLetter): void;
  /** Forgets a parked event that was handled. */
  unpark(position: number): void;
  /** The parked event that is due first. */
  next(): Parked | undefined;
  deadLetters(): DeadLetter[];
  /** Commits what `change` does as one. */
  together(change: () => void): void;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS progress (log_id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS parked (
    position INTEGER PRIMARY KEY, body TEXT NOT NULL, attempts INTEGER NOT NULL, dueAt INTEGER NOT NULL,
    firstFailure TEXT NOT NULL, lastFailure TEXT NOT NULL, error TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS parked_due ON parked (dueAt);
  CREATE TABLE IF NOT EXISTS dead (
    number INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL,
    firstFailure TEXT NOT NULL, lastFailure TEXT NOT NULL, error TEXT NOT NULL, reason TEXT NOT NULL, stack TEXT
  ) STRICT;
`;

/** @param file `:memory:` for a consumer that leaves nothing behind. */
export function openConsumerFile(file: string): ConsumerFile {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
  const db = new Database(file, { create: true, strict: true });
  // NORMAL: a power cut may take the last commits back, in order and whole; the events since are then handled again.
  for (const pragma of ["journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 2000"]) db.run(`PRAGMA ${pragma}`);
  db.transaction(() => db.run(schema)).immediate();

  const columns = "position, body, attempts, firstFailure, lastFailure, error";
  const position: Statement<{ position: number }, [string]> = db.prepare("SELECT position FROM progress WHERE log_id = ?");
  const save = db.prepare("INSERT INTO progress VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position");
  const park = db.prepare(
    `INSERT OR REPLACE INTO parked (${columns}, dueAt) VALUES ($position, $body, $attempts, $firstFailure, $lastFailure, $error, $dueAt)`,
  );
  const bury = db.prepare(
    `INSERT INTO dead (${columns}, reason, stack) VALUES ($position, $body, $attempts, $firstFailure, $lastFailure, $error, $reason, $stack)`,
  );
  const unpark = db.prepare("DELETE FROM parked WHERE position = ?");
  const next: Statement<Parked, []> = db.prepare(`SELECT ${columns}, dueAt FROM parked ORDER BY dueAt LIMIT 1`);
  const dead: Statement<DeadLetter, []> = db.prepare(`SELECT ${columns}, reason, stack FROM dead ORDER BY number`);

  return {
    position: (logId) => position.get(logId)?.position,
    save: (logId, at) => void save.run(logId, at),
    park: (parked) => void park.run({ ...parked }),
    bury: (letter) => void bury.run({ ...letter }),
    unpark: (at) => void unpark.run(at),
    next: () => next.get() ?? undefined,
    deadLetters: () => dead.all(),
    together: (change) => db.transaction(change).immediate(),
    close: () => db.close(),
  };
}
