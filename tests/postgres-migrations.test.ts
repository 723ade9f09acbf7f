// The schema of PostgreSQL: made once by whichever process comes first, upgraded in order, and refused where it cannot be used.
import { afterAll, expect, test } from "bun:test";
import type { PostgresAddress } from "../src/config/postgres-url";
import { openStore } from "../src/store/open";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { PostgresConsumerStores } from "../src/store/postgres/consumer/stores";
import { migrate, schemaVersionOf, storeMigrations } from "../src/store/postgres/schema/migrations";
import { obstaclesOf } from "../src/store/postgres/schema/server";
import { pageText } from "./support/doc-pages";
import { depot, parcel, person } from "./support/parcels";
import { describeWithPostgres, useOwnPostgres, usePostgres } from "./support/postgres";
import { rejection } from "./support/rejection";

const opened: Database[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

function open(address: PostgresAddress): Database {
  const database = openDatabase(address);
  opened.push(database);
  return database;
}

describeWithPostgres("migrations", () => {
  const postgres = usePostgres();
  const migrated = (migrations = storeMigrations) => migrate(open(postgres().address), postgres().address, migrations);

  test("six processes that start at once make the schema once", async () => {
    const table = () => "CREATE TABLE first (id int); INSERT INTO first VALUES (1)";
    // Each has connections of its own, as a process has.
    await Promise.all(Array.from({ length: 6 }, () => migrated([table])));
    expect(await postgres().evaluate("SELECT count(*)::int AS rows FROM first")).toEqual([{ rows: 1 }]);
    const more = () => "ALTER TABLE first ADD COLUMN name text; INSERT INTO first VALUES (2, 'two')";
    await Promise.all(Array.from({ length: 6 }, () => migrated([table, more])));
    expect(await postgres().evaluate("SELECT * FROM first ORDER BY id")).toEqual([
      { id: 1, name: null },
      { id: 2, name: "two" },
    ]);
    await postgres().drop();
  });

  test("no index depends on a collation that an upgrade of the system could change", async () => {
    const { address, name, evaluate } = postgres();
    const stores = new PostgresConsumerStores(address);
    await (await openStore({ database: address }, [parcel, depot, person])).close();
    await (await stores.open("audit", { durable: true })).close();
    await stores.close();
    const found = await evaluate(`SELECT indexrelid::regclass::text AS index, attname FROM pg_index
      JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
      JOIN pg_attribute ON attrelid = indexrelid JOIN pg_collation ON pg_collation.oid = attcollation
      WHERE nspname IN ('${name}', '${name}.audit') AND collname <> 'C'`);
    expect(found).toEqual([]);
    await evaluate(`DROP SCHEMA "${name}.audit" CASCADE`);
    await postgres().drop();
  });

  test("one that fails changes nothing, and the next start goes on", async () => {
    const fails = () => "CREATE TABLE first (id int); SELECT 1 / 0";
    expect(await rejection(migrated([fails]))).toMatchObject({ sqlState: "22012" });
    expect(await schemaVersionOf(open(postgres().address))).toBe(0);
    await migrated([() => "CREATE TABLE first (id int)"]);
    await postgres().drop();
  });

  test("a schema of a newer version is refused, and stays as it is", async () => {
    await migrated([...storeMigrations, () => "CREATE TABLE later (id int)"]);
    expect((await rejection(migrated())).message).toBe(
      `The schema "${postgres().name}" in ${postgres().address.shown} has version ${storeMigrations.length + 1}, but this program knows versions up to ` +
        `${storeMigrations.length}: it was last used by a newer version of Warren. Start that version, or set another schema in DATABASE_URL.`,
    );
    expect(await postgres().evaluate("SELECT * FROM later")).toEqual([]);
    await postgres().drop();
  });

  test("an old server, and a database of another encoding, are refused", async () => {
    const answering = (server: object): Database => {
      const query = async <Row>() => [server] as Row[];
      return {
        query,
        writer: { query, change: async () => 0 },
        line: () => ({ query, change: async () => 0 }),
        transaction: () => Promise.reject(new Error()),
        listen: () => () => {},
        close: async () => {},
      };
    };
    const refused = async (server: object) => (await rejection(migrate(answering(server), postgres().address, storeMigrations))).message;
    expect(await refused({ number: 120_022, version: "12.22", encoding: "UTF8" })).toContain(
      "is PostgreSQL 12.22. Warren needs PostgreSQL 13 or newer.",
    );
    expect(await refused({ number: 150_004, version: "15.4", encoding: "SQL_ASCII" })).toContain("createdb --encoding=UTF8");
  });

  test("partitions of the log are added until a position is covered, by several at once", async () => {
    await migrated();
    const { query } = open(postgres().address);
    await Promise.all([1, 2, 3].map(() => query("SELECT warren_cover_position($1, $2)", 3_500_000, 1_000_000)));
    expect(await query("SELECT first, next FROM warren_partitions ORDER BY first")).toEqual(
      [0, 1, 2, 3].map((each) => ({ first: each * 1_000_000 + 1, next: (each + 1) * 1_000_000 + 1 })),
    );
    const insert = "INSERT INTO events (position, id, type, subject, timestamp, body) VALUES ($1, gen_random_uuid(), 'x', 1, '', '')";
    for (const position of [1, 1_000_000, 1_000_001, 4_000_000]) await query(insert, position);
    expect(await rejection(query(insert, 4_000_001))).toMatchObject({ sqlState: "23514" });
    await postgres().drop();
  });
});

describeWithPostgres("a role without the right to change the schema", () => {
  const postgres = useOwnPostgres();

  test("starts if there is nothing to change, and else says which right it needs", async () => {
    const schema = postgres().schema("shop");
    await postgres().evaluate("CREATE ROLE service LOGIN");
    const address: PostgresAddress = { ...schema.address, user: "service" };
    const start = (migrations = storeMigrations) => migrate(open(address), address, migrations);
    const advice = (version: string) =>
      `The role "service" may not create or upgrade the schema "shop" in ${address.shown}, which has version ${version}`;
    expect((await rejection(start())).message).toStartWith(advice(`0 of ${storeMigrations.length}`));
    await migrate(open(schema.address), schema.address, storeMigrations);
    expect((await rejection(start())).message).toBe(
      `The role "service" may not use the schema "shop" in ${address.shown}. As its owner, run: GRANT USAGE ON SCHEMA "shop" TO "service"`,
    );
    await postgres().evaluate(
      "GRANT USAGE ON SCHEMA shop TO service; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA shop TO service",
    );
    const missing = (await rejection(start())).message;
    expect(missing).toContain('lacks rights in the schema "shop"');
    for (const grant of missing.matchAll(/GRANT .*? TO "service"/g)) await postgres().evaluate(grant[0]);
    await start();
    const newer = [...storeMigrations, () => "CREATE TABLE more (id int)"];
    expect((await rejection(start(newer))).message).toStartWith(advice(`${storeMigrations.length} of ${newer.length}`));
    // It may have partitions added all the same.
    await open(address).query("SELECT warren_cover_position($1, $2)", 2_500_000, 1_000_000);
    await open(address).query(
      "INSERT INTO events (position, id, type, subject, timestamp, body) VALUES (2500000, gen_random_uuid(), 'x', 1, '', '')",
    );
  });
});

describeWithPostgres("the roles of the guide", () => {
  const postgres = useOwnPostgres();
  const [, settings = ""] = [...pageText("docs/guide/postgres.md").matchAll(/```sql\n([^`]+)```/g)].map(([, sql = ""]) => sql);

  test("behind a pooler have the settings that a start asks for", async () => {
    const query = async <Row>() =>
      [
        { number: 150_000, version: "15", encoding: "UTF8" },
        { name: "search_path", setting: '"$user", public' },
      ] as Row[];
    const address = { ...postgres().schema("warren").address, user: "shop", database: "shop", isPooled: true };
    const [obstacle] = await obstaclesOf({ query }, address);
    for (const line of settings.trim().split("\n")) expect(obstacle?.todo).toContain(line);
  });
});
