import { Database } from "bun:sqlite";
import type { Attempt } from "./attempt-table";

/** What a consumer's file has about one event. */
export interface ConsumerHistory {
  /** How far it has come in the log; undefined: it has never read this one. */
  readonly progress: { readonly position: number; readonly begun: number } | undefined;
  /** Where it began in the log, and the types that it asks for; undefined: that was not kept yet. */
  readonly follows: { readonly start: number; readonly types: readonly string[] } | undefined;
  /** When the event is due, if it waits for an attempt, and how many have failed. */
  readonly waiting: { readonly attempts: number; readonly dueAt: number } | undefined;
  /** The newest, if it is a dead letter. */
  readonly dead: { readonly reason: string; readonly lastFailure: string } | undefined;
  /** When it was noted as done; milliseconds since 1970. */
  readonly inboxAt: number | undefined;
  /** Of an event that failed, as far as they are kept; the oldest first. */
  readonly attempts: readonly Attempt[];
}

/** Asks a consumer's file, whether the consumer runs or not; it is never held up. */
export function consumerHistory(file: string, logId: string, id: string): ConsumerHistory {
  const db = new Database(file, { readonly: true, strict: true });
  const first = <Row>(sql: string, value: string) => db.query<Row, [string]>(sql).get(value) ?? undefined;
  try {
    // A file that its consumer has not brought up to date yet.
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
