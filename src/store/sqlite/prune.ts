import type { Database } from "bun:sqlite";
import type { Uncommitted } from "./uncommitted";

/**
 * Removes events older than a time up to a position, and answers how many. A prefix only, whatever the clock did, and a
 * bounded one, so that pruning never holds up a commit for long. It belongs into a change.
 */
export function pruner(db: Database, uncommitted: Uncommitted): (before: string, position: number) => number {
  const oldest = db.prepare<{ events: number; last: number | null }, [number, string]>(
    `WITH oldest AS (SELECT position, timestamp FROM events WHERE position <= ?1 ORDER BY position LIMIT 1000)
    SELECT count(*) AS events, max(position) AS last FROM oldest WHERE position < coalesce(
      (SELECT min(position) FROM oldest WHERE timestamp >= ?2), ?1 + 1)`,
  );
  const remove = uncommitted.prepare("DELETE FROM events WHERE position <= ?");
  // The times when the relay was somewhere; those that belong to no event any more.
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
