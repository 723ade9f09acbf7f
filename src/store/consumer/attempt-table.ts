import type { Database, Statement } from "bun:sqlite";

/** One attempt to handle an event. */
export interface Attempt {
  /** Number of the attempt, from 1. Restarts after a redrive. */
  readonly attempt: number;
  /** Time of the attempt, in milliseconds since 1970. */
  readonly at: number;
  readonly outcome: "handled" | "retry" | "dead-letter";
  /** Why the event became a dead letter. Null for other outcomes. */
  readonly reason: string | null;
  readonly error: string | null;
  /** When the next attempt is due, in milliseconds since 1970. Null if there is no next attempt. */
  readonly dueAt: number | null;
}

/** Records the newest attempts on events that have failed at least once. */
export interface AttemptTable {
  add(id: string, attempt: Attempt): void;
}

/** Maximum number of attempts kept per consumer. It bounds the size of its file during a long outage. */
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
