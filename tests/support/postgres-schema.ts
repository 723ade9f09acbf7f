import { afterEach, beforeEach } from "bun:test";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import type { Database } from "../../src/store/postgres/connection/queries";
import { migrate, storeMigrations } from "../../src/store/postgres/schema/migrations";
import { type PostgresSchema, usePostgres } from "./postgres";

/** Gives each test of a block a schema with all tables, and connections to it as processes have them. They are closed after the test. */
export function usePostgresTables() {
  const schema = usePostgres();
  let opened: Database[] = [];
  const open = (): Database => {
    const database = openDatabase(schema().address);
    opened.push(database);
    return database;
  };
  beforeEach(async () => {
    await migrate(open(), schema().address, storeMigrations);
  });
  afterEach(async () => {
    await Promise.all(opened.map((database) => database.close()));
    opened = [];
    await schema().drop();
  });
  return {
    schema: schema as () => PostgresSchema,
    open,
    /** Adds events of a time to the log. */
    async append(count: number, timestamp = "2026-02-18T18:23:45.123Z"): Promise<void> {
      await schema().evaluate(
        `INSERT INTO events (position, id, type, subject, timestamp, body)
         SELECT nextval('warren_events_position'), gen_random_uuid(), 'item.created', 1, '${timestamp}', '{}' FROM generate_series(1, ${count})`,
      );
    },
  };
}
