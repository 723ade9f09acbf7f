import { pause } from "../../../timing/pause";
import type { Leadership } from "../../leadership";
import type { Database, Queries } from "../connection/queries";
import { partitionWidth } from "../schema/log-schema";

/** Number of partitions that are kept ready behind the one that is written. */
const ahead = 2;
/** Interval at which the leader looks whether partitions are missing, in milliseconds. */
const lookEveryMs = 5000;

/** Adds partitions of the log before they are needed, while this process leads that. */
export async function keepPartitions(
  { query, writer }: Pick<Database, "query" | "writer">,
  { until, holds }: Leadership,
  width = partitionWidth,
): Promise<void> {
  while (holds()) {
    // If it fails, `partitionProblem` says so, and each commit that lacks a partition adds it by itself.
    await addPartitions({ query, writer }, width).catch(() => {});
    await pause(lookEveryMs, until);
  }
}

/** Adds the partitions that are missing for the next positions. */
export async function addPartitions({ query, writer }: Pick<Database, "query" | "writer">, width = partitionWidth): Promise<void> {
  const { end, room } = await roomIn({ query });
  if (room < ahead * width) await writer.query("SELECT warren_cover_position($1, $2)", end + ahead * width, width);
}

/** Resolves with a sentence if the log has less room than one partition, for which something keeps the leader from adding one. */
export async function partitionProblem(queries: Queries, width = partitionWidth): Promise<string | undefined> {
  const { room } = await roomIn(queries);
  if (room >= width) return undefined;
  return `The event log has room for only ${room} more events before each change has to add a partition by itself.`;
}

/** Resolves with the last position drawn, and the number of positions after it that have a partition. */
async function roomIn({ query }: Queries): Promise<{ end: number; room: number }> {
  const [row] = await query<{ end: number; next: number | null }>(
    `SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM warren_events_position) AS "end",
       (SELECT next FROM warren_partitions ORDER BY first DESC LIMIT 1) AS next`,
  );
  const { end = 0, next } = row ?? {};
  return { end, room: Math.max(0, (next ?? 1) - 1 - end) };
}
