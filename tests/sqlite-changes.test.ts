// SQLite: a change of which a part cannot be written, or trouble with the file, changes nothing.
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
import { loggedEvents } from "./support/logged-events";
import { catalogue } from "./support/resources";

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
const events = () => loggedEvents(store);

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
