import type { Attempt } from "../../consumer/attempt-table";
import type { ConsumerHistory } from "../../consumer/history";
import { readOnly } from "../connection/connection";
import { hasTable } from "../schema/has-table";

/** Returns a consumer's history of one event. The consumer may be running: reading its file never blocks it. */
export function consumerHistory(file: string, logId: string, id: string): ConsumerHistory {
  return readOnly(file, (db) => {
    const first = <Row>(sql: string, value: string) => db.query<Row, [string]>(sql).get(value) ?? undefined;
    // The consumer may not have upgraded the file yet.
    const follows = hasTable(db, "warren_follows")
      ? first<{ start: number; types: string }>("SELECT start, types FROM warren_follows WHERE log_id = ?", logId)
      : undefined;
    return {
      progress: first("SELECT position, begun FROM warren_progress WHERE log_id = ?", logId),
      follows: follows && { start: follows.start, types: JSON.parse(follows.types) as string[] },
      waiting: first("SELECT attempts, dueAt FROM warren_waiting WHERE id = ? ORDER BY number DESC LIMIT 1", id),
      dead: first("SELECT reason, lastFailure FROM warren_dead WHERE id = ? ORDER BY number DESC LIMIT 1", id),
      inboxAt: first<{ at: number }>("SELECT at FROM warren_inbox WHERE id = ?", id)?.at,
      attempts: hasTable(db, "warren_attempts")
        ? db
            .query<Attempt, [string]>("SELECT attempt, at, outcome, reason, error, dueAt FROM warren_attempts WHERE id = ? ORDER BY number")
            .all(id)
        : [],
    };
  });
}
