import type { LogEntry, LogReader } from "../../log";
import type { Queries } from "../connection/queries";
import { logScanner } from "./log-scan";
import { backScanner } from "./log-scan-back";
import { logStateIn } from "./log-state";
import { entryColumns } from "./selected-events";

/** Reads the event log. Readers find nothing up to `meta.pruned_to`, whether or not it is deleted yet. */
export function logReader({ query }: Queries): LogReader {
  return {
    read: (position, limit) =>
      query<LogEntry>(
        `SELECT ${entryColumns} FROM events WHERE position > $1 AND position > (SELECT pruned_to FROM meta) ORDER BY position LIMIT $2`,
        position,
        limit,
      ),
    scan: logScanner({ query }),
    scanBack: backScanner({ query }),
    end: async () => (await logStateIn({ query }))?.end ?? 0,
    async pruned() {
      const [meta] = await query<{ prunedTo: number }>('SELECT pruned_to AS "prunedTo" FROM meta');
      return meta?.prunedTo ?? 0;
    },
    /** Binary search: the log is in the order of time, and an index would slow down every write. */
    async positionBefore(time) {
      const [found] = await query<{ low: number }>(
        `WITH RECURSIVE search(low, high) AS (
           SELECT pruned_to, greatest(pruned_to, coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0)) FROM meta
           UNION ALL
           SELECT CASE WHEN entry.timestamp < $1 THEN entry.position ELSE low END,
             CASE WHEN entry.timestamp < $1 THEN high ELSE middle - 1 END
           FROM (SELECT low, high, (low + high) / 2 + 1 AS middle FROM search WHERE low < high) AS halves
           LEFT JOIN LATERAL (
             SELECT position, timestamp FROM events WHERE position >= middle ORDER BY position LIMIT 1
           ) AS entry ON true
         )
         SELECT max(low) AS low FROM search`,
        time,
      );
      return found?.low ?? 0;
    },
  };
}
