import type { PostgresSchema } from "./postgres";

/** Replaces the empty partitions of a log by others: for each pair, those up to a position, of a width. */
export async function replacePartitions(
  schema: PostgresSchema,
  ...covered: readonly (readonly [position: number, width: number])[]
): Promise<void> {
  await schema.evaluate(
    `DO $$ DECLARE old record; BEGIN
       FOR old IN DELETE FROM warren_partitions RETURNING first LOOP EXECUTE format('DROP TABLE %I', 'warren_events_' || old.first); END LOOP;
     END $$`,
  );
  for (const [position, width] of covered) await schema.evaluate(`SELECT warren_cover_position(${position}, ${width})`);
}
