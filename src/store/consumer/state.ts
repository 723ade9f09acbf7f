import { Database } from "bun:sqlite";
import { isLocked } from "../sqlite/lock";

/** How things stand with a consumer that reads the log itself. */
export interface ConsumerState {
  /** Everything in the log up to here is settled, or waits in the file. Null: it has not read this log. */
  readonly position: number | null;
  /** Events that wait for their next attempt. */
  readonly waiting: number;
  readonly dead: number;
  /** Whether a process works on it now. */
  readonly running: boolean;
}

/** Asks a consumer's file, whether the consumer runs or not; it is never held up. */
export function consumerState(file: string, logId: string): ConsumerState {
  const db = new Database(file, { readonly: true, strict: true });
  try {
    const counts = db
      .query<Omit<ConsumerState, "running">, [string]>(
        `SELECT (SELECT position FROM warren_progress WHERE log_id = ?) AS position,
           (SELECT count(*) FROM warren_waiting) AS waiting, (SELECT count(*) FROM warren_dead) AS dead`,
      )
      .get(logId);
    return { ...(counts ?? { position: null, waiting: 0, dead: 0 }), running: isLocked(`${file}.lock`) };
  } finally {
    db.close();
  }
}

/** The tables in a consumer's file that its handler has made. */
export function ownTablesOf(file: string): string[] {
  const db = new Database(file, { readonly: true, strict: true });
  try {
    return db
      .query<{ name: string }, []>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'warren\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
      )
      .all()
      .map(({ name }) => name);
  } finally {
    db.close();
  }
}
