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
