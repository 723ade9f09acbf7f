// The tables of resources, when several processes create them at once and share sessions of the server, as behind PgBouncer.
import { expect, setDefaultTimeout, test } from "bun:test";
import { item } from "../src/domain/item";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { keepResourceTables } from "../src/store/postgres/records/resource-tables";
import { migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { describeWithPostgres, usePostgres } from "./support/postgres";

// A cluster takes its time to start on a busy machine.
setDefaultTimeout(60_000);

describeWithPostgres("a process that waits while another one creates the tables", () => {
  const schema = usePostgres();

  test("sees them, also in a session that has looked for them before", async () => {
    const { address } = schema();
    const [database, another] = [openDatabase(address), openDatabase(address)];
    try {
      await migrate(database, address, storeMigrations);
      await database.transaction(async (session) => {
        // A session reads the catalogue again with the first statement of a kind, so another one has come before.
        await session.query("SELECT pg_advisory_xact_lock($1::bigint)", "1");
        const shared = {
          query: session.query,
          async transaction<T>(work: (queries: typeof session) => Promise<T>): Promise<T> {
            await keepResourceTables(another, address, [item]);
            return work(session);
          },
        };
        await keepResourceTables(shared, address, [item]);
      });
      expect(await schema().evaluate("SELECT resource, plural FROM warren_tables")).toEqual([{ resource: "item", plural: "items" }]);
    } finally {
      await database.close();
      await another.close();
    }
  });
});
