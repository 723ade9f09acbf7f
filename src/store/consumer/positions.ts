import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The position that the slowest embedded consumer of this log has settled; null: there are no such consumers. */
export function slowestConsumer(folder: string, logId: string): number | null {
  if (!existsSync(folder)) return null;
  const positions = [...new Bun.Glob("*.db").scanSync(folder)].map((file) => positionIn(join(folder, file), logId));
  const known = positions.filter((position) => position !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/**
 * A consumer that has only read another log is still at the beginning of this one. Null: it reads no log at all, since it
 * gets its events from RabbitMQ and uses the file for other things.
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
