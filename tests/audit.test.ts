// The tables of consumers/audit.ts: append-only on each engine, except for what is erased.
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ExactlyOnceContext, Transaction } from "warren/consumer";
import { audit } from "../consumers/audit";
import { buildEvent } from "../src/consumer/test-consumer";
import type { ConsumerStore } from "../src/store/consumer/store";
import type { ConsumerStores } from "../src/store/consumer/stores";
import { consumerStores } from "../src/store/open";
import { forEachEngine, type Places } from "./support/engines";
import { rejection } from "./support/rejection";
import { useFolder } from "./support/use-folder";

const folder = useFolder();

forEachEngine((placesIn) => {
  let places: Places;
  let stores: ConsumerStores;
  let store: ConsumerStore;
  beforeEach(async () => {
    places = placesIn(folder.path);
    stores = consumerStores(places);
    store = await stores.open("audit", { durable: false });
  });
  afterEach(async () => {
    await store.close();
    await stores.close();
  });

  const inOne = <T>(work: (tx: Transaction) => Promise<T>) => store.together(({ transaction }) => work(transaction));
  const setUp = () => inOne((tx) => audit.setup(tx));
  const handle = (event: ReturnType<typeof buildEvent> | object) =>
    inOne((tx) => audit.handle(event as ReturnType<typeof buildEvent>, { tx } as ExactlyOnceContext));
  const kept = () => store.transaction.all("SELECT resource, record, version, change FROM history ORDER BY record, version");
  const erased = (id: number) => ({
    id: Bun.randomUUIDv7(),
    type: "item.erased",
    version: 1,
    item: { id },
    timestamp: "2026-02-18T18:23:45.123Z",
  });

  test("nobody can change or remove a row, also after a record was erased", async () => {
    await setUp();
    await handle(buildEvent("item.created", { id: 1 }, { actor: "ada" }));
    await handle(buildEvent("item.created", { id: 2 }));
    await handle(erased(1));
    // A start of another process.
    await setUp();
    const everywhere = ["UPDATE history SET state = '{}'", "DELETE FROM history", "DELETE FROM history WHERE record = 2"];
    const own = { sqlite: [], postgres: ["TRUNCATE history"] };
    for (const sql of [...everywhere, ...own[places.database.engine]])
      expect([sql, (await rejection(inOne((tx) => tx.run(sql)))).message]).toEqual([
        sql,
        expect.stringContaining("the history is append-only"),
      ]);
    expect(await kept()).toEqual([{ resource: "item", record: 2, version: 1, change: "created" }]);
    expect(await store.transaction.all("SELECT * FROM actors")).toEqual([]);
    expect(await store.transaction.all("SELECT * FROM erasing")).toEqual([]);
  });

  test("an event that comes again changes nothing, even if it says something else", async () => {
    await setUp();
    const event = buildEvent("item.created", { name: "first" }, { actor: "ada" });
    await handle(event);
    await handle({ ...event, actor: "eve", item: { ...event.item, name: "second" } });
    if (places.database.engine === "sqlite")
      await inOne((tx) =>
        tx.run("INSERT OR REPLACE INTO history SELECT event, resource, record, version, change, time, '{}' FROM history"),
      );
    expect(await store.transaction.all("SELECT actor, state FROM history JOIN actors ON actors.event = history.event")).toEqual([
      { actor: "ada", state: JSON.stringify(event.item) },
    ]);
  });

  test("values beyond 32 bits, and characters that PostgreSQL has no place for in a text", async () => {
    await setUp();
    const event = buildEvent("item.created", { id: 2 ** 53 - 1, version: 2 ** 40, name: "\0\ud800'\\?" });
    await handle(event);
    expect(await store.transaction.all("SELECT record, version, state FROM history")).toEqual([
      { record: 2 ** 53 - 1, version: 2 ** 40, state: JSON.stringify(event.item) },
    ]);
  });
});

test("a file of an earlier version goes on, and its records can be erased", async () => {
  const stores = consumerStores({ database: { engine: "sqlite", file: `${folder.path}/warren.db`, shown: "" }, dataDir: folder.path });
  const store = await stores.open("audit", { durable: false });
  const before = [
    `CREATE TABLE history (event TEXT PRIMARY KEY, resource TEXT NOT NULL, record INTEGER NOT NULL, version INTEGER NOT NULL,
       change TEXT NOT NULL, time TEXT NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    "CREATE TRIGGER history_not_removed BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END",
    "INSERT INTO history VALUES ('one', 'item', 1, 1, 'created', '2026-02-18T18:23:45.123Z', '{}')",
  ];
  for (const sql of before) await store.transaction.run(sql);
  const erased = { id: "two", type: "item.erased", version: 1, item: { id: 1 }, timestamp: "2026-02-18T18:23:45.123Z" };
  await store.together(async ({ transaction: tx }) => {
    await audit.setup(tx);
    await audit.handle(erased as never, { tx } as ExactlyOnceContext);
  });
  expect(await store.transaction.all("SELECT * FROM history")).toEqual([]);
  await store.close();
  await stores.close();
});
