import type { SourceState } from "../../moving/move-source";
import type { Database } from "../connection/queries";
import { partitionWidth } from "../schema/log-schema";

/** Maximum number of partitions to add with one statement, each of which takes locks of the server. */
const atOnce = 20;

/** Adds the partitions for all positions that move, and for those that come next, without those of events that were pruned. */
export async function coverPositions(database: Database, { pruned, end }: SourceState): Promise<void> {
  const first = Math.floor(pruned / partitionWidth) * partitionWidth + 1;
  await beginAt(database, first);
  for (let position = first; position < end + 2 * partitionWidth; position += atOnce * partitionWidth) {
    await database.writer.query(
      "SELECT warren_cover_position($1::bigint, $2::bigint)",
      Math.min(position + atOnce * partitionWidth, end + 2 * partitionWidth),
      partitionWidth,
    );
  }
}

/** Drops the partitions before a position, so that the next one to be added begins there. */
async function beginAt(database: Database, first: number): Promise<void> {
  await database.transaction(async ({ query, script }) => {
    const dropped = await query<{ first: number }>("DELETE FROM warren_partitions WHERE next <= $1 RETURNING first", first);
    for (const partition of dropped) await script(`DROP TABLE warren_events_${partition.first}`);
    const left = await query("SELECT 1 FROM warren_partitions LIMIT 1");
    if (left.length > 0) return;
    await query("INSERT INTO warren_partitions VALUES ($1::bigint - 1, $1::bigint)", first);
    await query("SELECT warren_cover_position($1::bigint, $2::bigint)", first, partitionWidth);
    await query("DELETE FROM warren_partitions WHERE first = $1::bigint - 1", first);
  });
}
