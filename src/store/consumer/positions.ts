import { Database } from "bun:sqlite";
import { join } from "node:path";
import { consumerFiles } from "./files";

/** Returns the position settled by the slowest embedded consumer of this log, or null if there are no embedded consumers. */
export function slowestConsumer(folder: string, logId: string): number | null {
  const positions = consumerFiles(folder).map((queue) => positionIn(join(folder, `${queue}.db`), logId));
  const known = positions.filter((position) => position !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/**
 * Returns the position that a consumer has settled in this log: 0 if it has only read another log. Returns null if it reads no
 * log, because it gets its events from RabbitMQ and uses the file for other data.
 */
function positionIn(file: string, logId: string): number | null {
  const db = new Database(file, { readonly: true });
  try {
    const { followed, position } = db
      .query<{ followed: number; position: number | null }, [string, string]>(
        `SELECT EXISTS (SELECT 1 FROM warren_progress) AS followed, min(position) AS position FROM (
           SELECT position FROM warren_progress WHERE log_id = ?
           UNION ALL SELECT position FROM warren_replays WHERE logId = ? AND finishedAt IS NULL)`,
      )
      .get(logId, logId) ?? { followed: 0, position: null };
    return position ?? (followed ? 0 : null);
  } finally {
    db.close();
  }
}
