import type { Database } from "bun:sqlite";
import type { Uncommitted } from "../commit/uncommitted";

/**
 * Returns a function that deletes events older than a time, up to a position, and returns their number. It deletes only a prefix
 * of the log, even if times are out of order. Each call deletes a bounded number, so that it never delays a commit for long.
 * Call it only inside a change.
 */
export function pruner(db: Database, uncommitted: Uncommitted): (before: string, position: number) => number {
  const oldest = db.prepare<{ events: number; last: number | null }, [number, string]>(
    `WITH oldest AS (SELECT position, timestamp FROM events WHERE position <= ?1 ORDER BY position LIMIT 1000)
    SELECT count(*) AS events, max(position) AS last FROM oldest WHERE position < coalesce(
      (SELECT min(position) FROM oldest WHERE timestamp >= ?2), ?1 + 1)`,
  );
  const remove = uncommitted.prepare("DELETE FROM events WHERE position <= ?");
  // Delete the times of the relay that belong to deleted events.
  const removeTimes = uncommitted.prepare(
    "DELETE FROM relay_times WHERE position < coalesce((SELECT min(position) FROM events), (SELECT position FROM relay))",
  );
  return (before, position) => {
    const found = oldest.get(Math.min(position, Number.MAX_SAFE_INTEGER - 1), before);
    if (found?.last) remove(found.last);
    removeTimes();
    return found?.events ?? 0;
  };
}
