import { now } from "../../../timing/clock";
import { StoreUnavailable } from "../../errors";
import type { Store } from "../../store";
import type { Database, Queries } from "../connection/queries";

/** Number of events that one call hides from readers. */
const hiddenAtOnce = 10_000;
/** Number of events that one statement deletes, and of such statements in a call. */
const [deletedAtOnce, deletions] = [1000, 100];
const dayMs = 24 * 3_600_000;

/**
 * Returns how long pruned events stay in a partition that cannot be dropped yet, in milliseconds: a tenth of the age at which events are
 * pruned, but at least a day and at most a week. If that is longer than a partition lasts, no events are deleted by themselves.
 */
export function usualGraceMs(before: string, at = now()): number {
  return Math.min(7 * dayMs, Math.max(dayMs, (at - Date.parse(before)) / 10));
}

/**
 * Returns a function that prunes the log. It hides events from readers at once, and deletes whole partitions, which leaves no dead rows.
 * In a small log, a partition lasts for long: its events are deleted by themselves, some time later.
 *
 * @param graceOf returns that time in milliseconds. Default: {@link usualGraceMs}.
 */
export function pruner(
  { query, writer }: Pick<Database, "query" | "writer">,
  graceOf: (before: string) => number = usualGraceMs,
): Store["prune"] {
  return async (before, position) => {
    const { events, last } = await oldest({ query }, "pruned", Math.min(position, Number.MAX_SAFE_INTEGER - 1), before, hiddenAtOnce);
    if (last !== null) {
      await writer.query("UPDATE meta SET pruned_to = greatest(pruned_to, $1)", last);
      return events;
    }
    await removePartitions({ query: writer.query });
    await removeRows(query, writer.query, new Date(Date.parse(before) - graceOf(before)).toISOString());
    return 0;
  };
}

/** Drops the partitions of which readers find nothing any longer. */
async function removePartitions({ query }: Queries): Promise<void> {
  try {
    for (let more = true; more; ) {
      const [row] = await query<{ dropped: boolean }>("SELECT warren_drop_partition() AS dropped");
      more = row?.dropped ?? false;
    }
  } catch (error) {
    // Somebody reads the log for long, such as a backup. Next time, then.
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}

async function removeRows(read: Queries["query"], write: Queries["query"], before: string): Promise<void> {
  for (let turn = 0; turn < deletions; turn += 1) {
    const [meta] = await read<{ prunedTo: number }>('SELECT pruned_to AS "prunedTo" FROM meta');
    const { last } = await oldest({ query: read }, "stored", meta?.prunedTo ?? 0, before, deletedAtOnce);
    if (last === null) break;
    await write("DELETE FROM events WHERE position <= $1", last);
  }
  await write(
    `DELETE FROM relay_times WHERE position <= (SELECT max(position) FROM (SELECT position FROM relay_times
       WHERE position < least((SELECT pruned_to FROM meta), (SELECT position FROM relay)) ORDER BY position LIMIT ${hiddenAtOnce}) AS old)`,
  );
}

/**
 * Resolves with the events that are the first of the log and all from before a time: their number, and the last of them. It is a prefix
 * of the log, even if times are out of order.
 *
 * @param from looks behind what is `pruned`, or at all that is `stored`.
 * @param upTo looks up to this position.
 */
async function oldest(
  { query }: Queries,
  from: "pruned" | "stored",
  upTo: number,
  before: string,
  limit: number,
): Promise<{ readonly events: number; readonly last: number | null }> {
  const [row] = await query<{ events: number; last: number | null }>(
    `WITH oldest AS MATERIALIZED (
       SELECT position, timestamp FROM events
       WHERE position > CASE WHEN $1 THEN (SELECT pruned_to FROM meta) ELSE 0 END AND position <= $2 ORDER BY position LIMIT $4
     )
     SELECT count(*)::int AS events, max(position) AS last FROM oldest
     WHERE position < coalesce((SELECT min(position) FROM oldest WHERE timestamp >= $3), $2 + 1)`,
    from === "pruned",
    upTo,
    before,
    limit,
  );
  return row ?? { events: 0, last: null };
}
