import type { PostgresSchema } from "../../support/postgres";

/** Lets the database note when a process saves a position of the relay that is behind the last one, as one without the lead may do. */
export async function watchPositions(schema: PostgresSchema): Promise<void> {
  await schema.evaluate(`
    CREATE TABLE chaos_stale_positions (before bigint, after bigint);
    CREATE FUNCTION chaos_note_position() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO chaos_stale_positions VALUES (OLD.position, NEW.position); RETURN NULL; END $$;
    CREATE TRIGGER chaos_position AFTER UPDATE ON relay FOR EACH ROW WHEN (NEW.position < OLD.position)
      EXECUTE FUNCTION chaos_note_position()`);
}

/** Resolves with what was noted. */
export async function stalePositions(schema: PostgresSchema): Promise<string[]> {
  const rows = await schema.evaluate<{ before: string; after: string }>("TABLE chaos_stale_positions");
  return rows.map(({ before, after }) => `the position of the relay was ${before}, and then saved as ${after}`);
}
