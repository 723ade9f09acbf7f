// Every change and its event are one: both are committed, or neither is.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { item } from "../src/domain/item";
import { StoreUnavailable } from "../src/store/errors";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { behindItsBack } from "./support/behind-its-back";
import { connectionsOf } from "./support/connections";
import { temporaryFolder } from "./support/folder";
import { catalogue, order } from "./support/resources";

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let store: Store;
let connection: Database;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
  [connection] = connectionsOf(file, () => {
    store = openSqliteStore(file, catalogue.resources, { patienceMs: 100 });
  }) as [Database];
});
afterEach(async () => {
  await store.close();
  folder.remove();
});

const fields = { name: "x", description: null, price: null };
const events = async () => (await store.log.read(0, 100_000)).map((entry) => JSON.parse(entry.body) as Record<string, unknown>);

describe("a change", () => {
  test("gives the bytes that it stored: the same in the row, in the event and in the answer", async () => {
    const stored = await store.insert(item, { name: 'Käse "🧀"', description: '\n\u2028 "quoted"', price: 0.1 });
    expect(await store.get(item, 1)).toEqual(stored);
    const [entry] = await store.log.read(0, 1);
    expect(entry?.body).toContain(`"item":${stored.json},`);
    expect(Object.keys(JSON.parse(stored.json))).toEqual(["id", "name", "description", "price", "version", "createdAt", "updatedAt"]);
  });

  test("stores what the resource knows, and nothing else", async () => {
    const { json } = await store.insert(item, { ...fields, id: 99, colour: "red" } as typeof fields);
    expect(JSON.parse(json)).toEqual({ id: 1, ...fields, version: 1, createdAt: expect.any(String), updatedAt: expect.any(String) });
  });

  test("of a record that is not there is undefined, and no event", async () => {
    expect([await store.update(item, 9, () => fields), await store.remove(item, 9), await store.get(item, 9)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await store.log.end()).toBe(0);
  });

  test("is told to those who listen, once for a commit, and only when an event came with it", async () => {
    let told = 0;
    const stop = store.onAppend(() => {
      told += 1;
    });
    await Promise.all([store.insert(item, fields), store.insert(item, fields), store.insert(order, order.example)]);
    expect(told).toBe(1);
    await store.relayed.save(1);
    await store.remove(item, 99);
    await store.check();
    expect(told).toBe(1);
    stop();
    await store.insert(item, fields);
    expect(told).toBe(1);
  });

  test("an id is never used again, not even the last one, not even after a restart", async () => {
    for (const expected of [1, 2, 3]) {
      const { id } = await store.insert(item, fields);
      expect(id).toBe(expected);
      await store.remove(item, id);
    }
    await store.close();
    store = openSqliteStore(file, catalogue.resources);
    expect((await store.insert(item, fields)).id).toBe(4);
    expect((await store.insert(order, order.example)).id).toBe(1);
  });

  test("under way when the store is closed is committed", async () => {
    const under = store.insert(item, fields);
    await store.close();
    expect((await under).id).toBe(1);
    store = openSqliteStore(file, catalogue.resources);
    expect([await store.get(item, 1), await store.log.end()]).toEqual([await under, 1]);
  });
});

describe("invariant 1: the item and its event are one transaction", () => {
  /** Makes the database refuse any row of this table with the text "bad", quotes included: an id may have these letters, too. */
  const refuse = (table: string, operation: string, column: string) =>
    behindItsBack(file, (db) =>
      db.run(
        `CREATE TRIGGER refuse BEFORE ${operation} ON ${table} WHEN NEW.${column} LIKE '%"bad"%' BEGIN SELECT RAISE(ABORT, 'refused'); END`,
      ),
    );
  const state = async () => [
    (await store.list(item, { limit: 100 })).rows.map(({ json }) => (JSON.parse(json) as { name: string }).name),
    (await events()).map(({ type }) => type),
  ];

  test.each([
    ["the event", "events", "INSERT", "body"],
    ["the item", "items", "INSERT", "json"],
  ])("when %s cannot be written, there is neither", async (_, table, operation, column) => {
    refuse(table, operation, column);
    await expect(store.insert(item, { ...fields, name: "bad" })).rejects.toThrow("refused");
    expect(await state()).toEqual([[], []]);
  });

  test.each([
    ["the event", "events", "INSERT", "body"],
    ["the item", "items", "UPDATE", "json"],
  ])("when %s of an update cannot be written, the item is as it was", async (_, table, operation, column) => {
    await store.insert(item, fields);
    refuse(table, operation, column);
    await expect(store.update(item, 1, () => ({ ...fields, name: "bad" }))).rejects.toThrow("refused");
    expect(await state()).toEqual([["x"], ["item.created"]]);
  });

  test("when the event of a deletion cannot be written, the item is still there", async () => {
    await store.insert(item, { ...fields, name: "bad" });
    refuse("events", "INSERT", "body");
    await expect(store.remove(item, 1)).rejects.toThrow("refused");
    expect(await state()).toEqual([["bad"], ["item.created"]]);
  });

  test("one bad change does not sink its neighbours in the same commit", async () => {
    refuse("events", "INSERT", "body");
    const outcomes = await Promise.allSettled(["a", "bad", "b"].map((name) => store.insert(item, { ...fields, name })));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await state()).toEqual([
      ["a", "b"],
      ["item.created", "item.created"],
    ]);
    expect(await Promise.all([store.get(item, 1), store.get(item, 2)])).toMatchObject([
      { json: expect.stringContaining('"a"') },
      { json: expect.stringContaining('"b"') },
    ]);
  });

  test("what the change of an update throws comes back as it is, and changes nothing; nor does it sink its neighbours", async () => {
    await store.insert(item, fields);
    const refusal = new RangeError("not like this");
    const [refused, updated, inserted] = await Promise.allSettled([
      store.update(item, 1, () => {
        throw refusal;
      }),
      store.update(item, 1, (current) => ({ ...current, price: 2 })),
      store.insert(item, fields),
    ]);
    expect(refused).toEqual({ status: "rejected", reason: refusal });
    expect([updated, inserted]).toMatchObject([{ value: { version: 2 } }, { value: { id: 2 } }]);
    expect((await events()).map(({ type }) => type)).toEqual(["item.created", "item.updated", "item.created"]);
  });
});

describe("trouble with the disk is StoreUnavailable, and nothing is changed", () => {
  test("a disk that is full", async () => {
    await store.insert(item, fields);
    connection.run(`PRAGMA max_page_count = ${connection.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count}`);
    const big = { ...fields, description: "x".repeat(2000) };
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => store.insert(item, big)));
    for (const outcome of outcomes)
      expect(outcome.status === "rejected" && String(outcome.reason)).toMatch(/^StoreUnavailable: SQLITE_FULL/);
    expect([await store.log.end(), (await store.list(item, { limit: 100 })).rows.length]).toEqual([1, 1]);
    connection.run("PRAGMA max_page_count = 1000000");
    expect((await store.insert(item, big)).id).toBe(2);
  });

  test("a file that the disk has spoilt: reading and writing", async () => {
    await Promise.all(Array.from({ length: 100 }, () => store.insert(item, { ...fields, description: "x".repeat(1000) })));
    behindItsBack(file, (db) => {
      db.run("UPDATE relay SET position = 0");
      db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    });
    const descriptor = openSync(file, "r+");
    writeSync(descriptor, Buffer.alloc(200_000, 0xff), 0, 200_000, 4096);
    for (const work of [
      () => store.get(item, 1),
      () => store.list(item, { limit: 100 }),
      () => store.log.read(0, 100),
      () => store.insert(item, fields),
      () => store.check(),
    ]) {
      const error = await work().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(String(error)).toMatch(/SQLITE_CORRUPT/);
    }
  });

  test("a database that is locked; it works again afterwards", async () => {
    const other = new Database(file);
    other.run("BEGIN IMMEDIATE");
    await expect(store.insert(item, fields)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.check()).rejects.toBeInstanceOf(StoreUnavailable);
    // Readers are not kept out.
    expect(await store.list(item, { limit: 1 })).toEqual({ rows: [], next: null });
    other.run("ROLLBACK");
    other.close();
    await store.check();
    expect((await store.insert(item, fields)).id).toBe(1);
  });
});

describe("the log", () => {
  test("is read in pages, in commit order", async () => {
    await Promise.all(Array.from({ length: 10 }, () => store.insert(item, fields)));
    const positions = async (after: number, limit: number) => (await store.log.read(after, limit)).map(({ position }) => position);
    expect([await positions(0, 3), await positions(3, 100), await positions(10, 5)]).toEqual([[1, 2, 3], [4, 5, 6, 7, 8, 9, 10], []]);
  });

  test("keeps the trace context", async () => {
    await store.insert(item, fields, { traceparent: "00-trace" });
    await store.insert(item, fields);
    expect((await store.log.read(0, 2)).map(({ traceparent }) => traceparent)).toEqual(["00-trace", null]);
  });
});
