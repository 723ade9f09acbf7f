// The function that commits, when processes of one program start at the same moment.
import { expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { commitFunction } from "../src/store/postgres/commit/commit-function";
import { keepCommitFunction } from "../src/store/postgres/commit/keep-function";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { layoutsOf } from "../src/store/postgres/record-store";
import { keepResourceTables } from "../src/store/postgres/records/resource-tables";
import { lockKey, migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { describeWithPostgres, usePostgres } from "./support/postgres";

describeWithPostgres("six processes that start at the same moment", () => {
  const schema = usePostgres();

  test("have one commit function, and none of them fails", async () => {
    const { address, name } = schema();
    const databases = Array.from({ length: 6 }, () => openDatabase(address));
    try {
      for (const database of databases) {
        await migrate(database, address, storeMigrations);
        await keepResourceTables(database, address, [item]);
      }
      const locks = { commit: lockKey(name, "commit"), ids: lockKey(name, "ids") };
      const made = commitFunction(layoutsOf([item]), locks);
      await Promise.all(databases.map((database) => keepCommitFunction(database, made, lockKey(name, "migrate"))));
      expect(await schema().evaluate(`SELECT count(*)::int4 FROM pg_proc WHERE proname = '${made.name}'`)).toEqual([{ count: 1 }]);
    } finally {
      await Promise.all(databases.map((database) => database.close()));
    }
  });
});
