import type { Database } from "bun:sqlite";
import { pruneRelayTimes } from "./relay-position";

/**
 * Removes events older than `before` up to `position`; answers how many. A prefix only, whatever the clock did, and a
 * bounded one, so that pruning never holds up a commit for long.
 */
export function prune(db: Database, before: string, position: number): number {
  const { changes } = db
    .query(
      `WITH oldest AS (SELECT position, timestamp FROM events WHERE position <= $position ORDER BY position LIMIT 1000)
      DELETE FROM events WHERE position IN (SELECT position FROM oldest) AND position < coalesce(
        (SELECT min(position) FROM oldest WHERE timestamp >= $before), $position + 1)`,
    )
    .run({ before, position: Math.min(position, Number.MAX_SAFE_INTEGER - 1) });
  pruneRelayTimes(db);
  return changes;
}
