import type { Database, Statement } from "bun:sqlite";

/** An attempt to handle an event. */
export interface Attempt {
  /** Counted anew after a redrive. */
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly outcome: "handled" | "retry" | "dead-letter";
  /** Why it was given up. */
  readonly reason: string | null;
  readonly error: string | null;
  /** When the next one is due, in milliseconds since 1970. */
  readonly dueAt: number | null;
}

/** The attempts on events that failed at least once, the newest only. */
export interface AttemptTable {
  add(id: string, attempt: Attempt): void;
}

/** Kept of each consumer: a bound for its file, however long what is behind it is down. */
const mostAttempts = 10_000;

export const attemptSchema = `
  CREATE TABLE warren_attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, attempt INTEGER NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL,
    reason TEXT, error TEXT, dueAt INTEGER
  ) STRICT;
  CREATE INDEX warren_attempts_id ON warren_attempts (id);
  CREATE INDEX warren_waiting_id ON warren_waiting (id);
`;

export function attemptTable(db: Database): AttemptTable {
  const add: Statement<{ number: number }, Record<string, string | number | null>[]> = db.prepare(
    `INSERT INTO warren_attempts (id, attempt, at, outcome, reason, error, dueAt)
     VALUES ($id, $attempt, $at, $outcome, $reason, $error, $dueAt) RETURNING number`,
  );
  const forget = db.prepare("DELETE FROM warren_attempts WHERE number <= ?");
  return {
    add(id, attempt) {
      const { number } = add.get({ id, ...attempt }) ?? { number: 0 };
      forget.run(number - mostAttempts);
    },
  };
}
