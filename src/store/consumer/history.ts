import { Database } from "bun:sqlite";
import type { Attempt } from "./attempt-table";

/** A consumer's history of one event, from the consumer's file. */
export interface ConsumerHistory {
  /** The consumer's progress in the log. Undefined if it has never read this log. */
  readonly progress: { readonly position: number; readonly begun: number } | undefined;
  /** The position at which the consumer started in the log, and the event types that it reads. Undefined if not recorded. */
  readonly follows: { readonly start: number; readonly types: readonly string[] } | undefined;
  /** The number of failed attempts and the time of the next one. Undefined if the event does not wait for an attempt. */
  readonly waiting: { readonly attempts: number; readonly dueAt: number } | undefined;
  /** The event's newest dead letter. Undefined if there is none. */
  readonly dead: { readonly reason: string; readonly lastFailure: string } | undefined;
  /** Time at which the event was recorded as handled, in milliseconds since 1970. Undefined if it was not. */
  readonly inboxAt: number | undefined;
  /** The recorded attempts, oldest first. Only attempts on events that have failed are recorded, and only the newest are kept. */
  readonly attempts: readonly Attempt[];
}

/** Returns a consumer's history of one event. The consumer may be running: reading its file never blocks it. */
export function consumerHistory(file: string, logId: string, id: string): ConsumerHistory {
  const db = new Database(file, { readonly: true, strict: true });
  const first = <Row>(sql: string, value: string) => db.query<Row, [string]>(sql).get(value) ?? undefined;
  try {
    // The consumer may not have upgraded the file yet.
    const has = (table: string) => first("SELECT 1 FROM sqlite_schema WHERE name = ?", table) !== undefined;
    const follows = has("warren_follows")
      ? first<{ start: number; types: string }>("SELECT start, types FROM warren_follows WHERE log_id = ?", logId)
      : undefined;
    return {
      progress: first("SELECT position, begun FROM warren_progress WHERE log_id = ?", logId),
      follows: follows && { start: follows.start, types: JSON.parse(follows.types) as string[] },
      waiting: first("SELECT attempts, dueAt FROM warren_waiting WHERE id = ? ORDER BY number DESC LIMIT 1", id),
      dead: first("SELECT reason, lastFailure FROM warren_dead WHERE id = ? ORDER BY number DESC LIMIT 1", id),
      inboxAt: first<{ at: number }>("SELECT at FROM warren_inbox WHERE id = ?", id)?.at,
      attempts: has("warren_attempts")
        ? db
            .query<Attempt, [string]>("SELECT attempt, at, outcome, reason, error, dueAt FROM warren_attempts WHERE id = ? ORDER BY number")
            .all(id)
        : [],
    };
  } finally {
    db.close();
  }
}
