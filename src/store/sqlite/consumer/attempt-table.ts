import type { Database, Statement } from "bun:sqlite";
import type { AttemptTable } from "../../consumer/attempt-table";
import type { Synchronous } from "./in-turn";

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

export function attemptTable(db: Database): Synchronous<AttemptTable> {
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
