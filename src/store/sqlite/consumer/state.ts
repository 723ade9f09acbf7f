import type { ConsumerState } from "../../consumer/state";
import { readOnly } from "../connection/connection";
import { isLocked, lockFileOf } from "../connection/lock";

/** Returns the state of a consumer. The consumer may be running: reading its file never blocks it. */
export function consumerState(file: string, logId: string): ConsumerState {
  return readOnly(file, (db) => {
    const counts = db
      .query<Omit<ConsumerState, "processes">, [string]>(
        `SELECT (SELECT position FROM warren_progress WHERE log_id = ?) AS position,
           (SELECT count(*) FROM warren_waiting) AS waiting, (SELECT count(*) FROM warren_dead) AS dead`,
      )
      .get(logId);
    return { ...(counts ?? { position: null, waiting: 0, dead: 0 }), processes: isLocked(lockFileOf(file)) ? 1 : 0 };
  });
}

/** Returns the names of the tables that a consumer's handlers have created in its file. */
export function ownTablesOf(file: string): string[] {
  return readOnly(file, (db) =>
    db
      .query<{ name: string }, []>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'warren\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
      )
      .all()
      .map(({ name }) => name),
  );
}
