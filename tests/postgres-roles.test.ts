// PostgreSQL with two roles, per docs/guide/postgres.md: one owns the schemas, the other one only uses them.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { audit } from "../consumers/audit";
import type { PostgresAddress } from "../src/config/postgres-url";
import { type ConsumerOptions, resolveConsumer } from "../src/delivery/consumer-options";
import { LazyStore } from "../src/delivery/lazy-store";
import { createLog } from "../src/observe/logging";
import { Catalogue } from "../src/schema/catalogue";
import { openStore, scrubDatabase } from "../src/store/open";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { PostgresConsumerStores } from "../src/store/postgres/consumer/stores";
import { pageText } from "./support/doc-pages";
import { describeWithPostgres, useOwnPostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { order } from "./support/resources";

const log = createLog({ level: "silent", format: "json", stream: 2 });

describeWithPostgres("with a role that owns and a role that uses", () => {
  const postgres = useOwnPostgres();
  let address: PostgresAddress;
  const as = (user: string): PostgresAddress => ({ ...address, user });
  beforeAll(async () => {
    address = { ...postgres().schema("warren").address, database: "shop" };
    await postgres().evaluate("CREATE DATABASE shop");
    const [, sql = ""] = /```sql\n([^`]+)```/.exec(pageText("docs/guide/postgres.md")) ?? [];
    const database = openDatabase(address);
    await database.transaction(({ script }) => script(sql));
    await database.close();
  });
  const open: PostgresConsumerStores[] = [];
  afterAll(() => Promise.all(open.map((stores) => stores.close())));

  /** Starts a consumer as a role, handles nothing, and stops it. */
  async function start(user: string, options: object): Promise<void> {
    const stores = new PostgresConsumerStores(as(user));
    open.push(stores);
    const consumer = resolveConsumer(options as ConsumerOptions, new Catalogue([order]), log, () => {});
    const store = new LazyStore(consumer, stores, { durable: true });
    await store.open();
    await store.close();
  }
  async function ask(sql: string): Promise<unknown[]> {
    const database = openDatabase(address);
    return database.query(sql).finally(() => database.close());
  }
  const counter = (setup: ConsumerOptions["setup"]) => ({ queue: "counter", events: ["order.*"], exactlyOnce: true, handle() {}, setup });

  test("the service starts as the second one after the first one, and writes", async () => {
    expect((await rejection(openStore({ database: as("shop") }, [order]))).message).toContain('The role "shop" may not create');
    for (const user of ["shop_owner", "shop"]) {
      const store = await openStore({ database: as(user) }, [order]);
      await store.close();
    }
  });

  test("the second one cannot free the space of others' tables, and is told", async () => {
    const scrubbed = (user: string) => scrubDatabase({ database: as(user) });
    expect([await scrubbed("shop"), await scrubbed("shop_owner")]).toEqual([false, true]);
  });

  test("a consumer starts as the second one, once the first one has run its `setup`", async () => {
    const refused = await rejection(start("shop", { ...audit, events: ["order.*"] }));
    expect(refused.message).toContain('The role "shop" may not create or upgrade the schema "warren.audit" for the queue "audit"');
    for (const user of ["shop_owner", "shop", "shop", "shop_owner"]) await start(user, { ...audit, events: ["order.*"] });
  });

  test("a `setup` that has changed is named, and has to be run by the first one", async () => {
    const first = counter((tx) => tx.run("CREATE TABLE IF NOT EXISTS counts (id BIGINT PRIMARY KEY)"));
    const second = counter(async (tx) => {
      // Not one after the other.
      await Promise.all([
        tx.run("CREATE TABLE IF NOT EXISTS counts (id BIGINT PRIMARY KEY)"),
        tx.run("INSERT INTO counts VALUES (?) ON CONFLICT DO NOTHING", 7),
        tx.run("ALTER TABLE counts ADD COLUMN IF NOT EXISTS name TEXT"),
      ]);
    });
    await start("shop_owner", first);
    await start("shop", first);
    const refused = await rejection(start("shop", second));
    expect(refused.message).toMatch(
      /^The role in DATABASE_URL may not run a statement of `setup` in the schema "warren\.counter": ALTER TABLE counts ADD COLUMN IF NOT EXISTS name TEXT \(42501: must be owner of table counts\)\. /,
    );
    await start("shop_owner", second);
    await start("shop", second);
    expect(await ask('SELECT id, name FROM "warren.counter".counts')).toEqual([{ id: 7, name: null }]);
  });

  test("processes that start at once do not create the same table", async () => {
    const several = { ...counter((tx) => tx.run("CREATE TABLE IF NOT EXISTS several (id BIGINT PRIMARY KEY)")), queue: "several" };
    await Promise.all(Array.from({ length: 4 }, () => start("shop_owner", several)));
  });

  test("an error of `setup` itself is its own, and nothing of it stays", async () => {
    const broken = counter(async (tx) => {
      await tx.run("CREATE TABLE half (id BIGINT)");
      await tx.run("CREATE TABLE half (id BIGINT)");
    });
    expect((await rejection(start("shop_owner", { ...broken, queue: "broken" }))).message).toContain('relation "half" already exists');
    expect(await ask("SELECT 1 FROM pg_tables WHERE tablename = 'half'")).toEqual([]);
  });
});
