import { readOnly } from "../connection/connection";

/**
 * Returns the position that a consumer has settled in this log: 0 if it has only read another log. Returns null if it reads no
 * log, because it gets its events from RabbitMQ and uses the file for other data.
 */
export function positionIn(file: string, logId: string): number | null {
  return readOnly(file, (db) => {
    const { followed, position } = db
      .query<{ followed: number; position: number | null }, [string, string]>(
        `SELECT EXISTS (SELECT 1 FROM warren_progress) AS followed, min(position) AS position FROM (
           SELECT position FROM warren_progress WHERE log_id = ?
           UNION ALL SELECT position FROM warren_replays WHERE logId = ? AND finishedAt IS NULL)`,
      )
      .get(logId, logId) ?? { followed: 0, position: null };
    return position ?? (followed ? 0 : null);
  });
}
