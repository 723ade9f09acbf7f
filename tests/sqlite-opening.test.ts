// Opening the store: its folder, its schema, its settings, and who may not open it.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, pastVersion } from "warren/resource";
import { item } from "../src/domain/item";
import { acquireLock } from "../src/store/sqlite/connection/lock";
import { followLog } from "../src/store/sqlite/log-follower";
import { storeMigrations } from "../src/store/sqlite/schema/migrations";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { behindItsBack } from "./support/behind-its-back";
import { connectionsOf } from "./support/connections";
import { temporaryFolder } from "./support/folder";
import { relayTo } from "./support/leader";
import { catalogue, order } from "./support/resources";

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let opened: Store[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
});
afterEach(async () => {
  for (const store of opened) await store.close();
  opened = [];
  folder.remove();
});

function open(path = file, resources = catalogue.resources): Store {
  const store = openSqliteStore(path, resources);
  opened.push(store);
  return store;
}

async function close(store: Store): Promise<void> {
  opened = opened.filter((each) => each !== store);
  await store.close();
}

function ask(sql: string): Record<string, unknown> | null {
  const db = new Database(file, { readonly: true });
  try {
    return db.query<Record<string, unknown>, []>(sql).get();
  } finally {
    db.close();
  }
}

describe("the first start", () => {
  test("makes the folder, however deep", async () => {
    const deep = join(folder.path, "not", "there", "yet", "warren.db");
    await open(deep).insert(item, item.example);
    expect(existsSync(deep)).toBe(true);
  });

  test("brings the schema up to date; the next one keeps everything", async () => {
    const first = open();
    await first.insert(item, item.example);
    const { logId } = first;
    expect(logId).toMatch(/^[0-9a-f]{32}$/);
    await relayTo(first, 1);
    await close(first);
    expect(ask("PRAGMA user_version")).toEqual({ user_version: storeMigrations.length });
    const second = open();
    expect([second.logId, await second.log.end(), await second.relayed.load()]).toEqual([logId, 1, 1]);
    expect(await second.get(item, 1)).toMatchObject({ id: 1, version: 1 });
  });

  test("every database has a log of its own", () => {
    expect(open(join(folder.path, "a.db")).logId).not.toBe(open(join(folder.path, "b.db")).logId);
  });

  test("a resource that comes later gets its table; one that the store does not know is refused by name", async () => {
    const first = open(file, [item]);
    await expect(first.get(order, 1)).rejects.toThrow(
      'The store was opened without the resource "order"; export it from a file in src/domain/.',
    );
    await close(first);
    expect(await open().list(order, { limit: 10 })).toEqual({ rows: [], next: null });
  });
});

describe("the indexes of a resource's list", () => {
  const resource = (...indexes: ("name" | "price")[]) =>
    defineResource({
      name: "item",
      fields: { name: Type.String(), price: Nullable(Type.Number()) },
      filters: { name: "prefix", price: "range" },
      indexes,
      example: { name: "x", price: null },
    });
  const indexes = () => {
    const db = new Database(file, { readonly: true });
    try {
      return db
        .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'items' ORDER BY name")
        .all();
    } finally {
      db.close();
    }
  };
  const names = (...fields: string[]) => fields.map((field) => ({ name: `items.${field}` }));
  const rare = { limit: 10, filters: { name: { prefix: "rare" } } };

  test("are made in a database from before there were any, which keeps its records", async () => {
    const db = new Database(file, { create: true });
    db.run("CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, json TEXT NOT NULL) STRICT");
    const old = { id: 1, name: "rare", price: 2, version: 1, createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z" };
    db.run("INSERT INTO items VALUES (1, 1, ?)", [JSON.stringify(old)]);
    db.close();
    const store = open(file, [resource("price")]);
    expect(indexes()).toEqual(names("createdAt", "price", "updatedAt"));
    for (const sort of ["id", "createdAt", "updatedAt"] as const) {
      const { rows } = await store.list(item, { ...rare, sort: [sort], updatedSince: old.updatedAt });
      expect(rows.map(({ json }) => JSON.parse(json) as unknown)).toEqual([old]);
    }
  });

  test("follow what the resource says, at each start; one of somebody else stays", async () => {
    for (const [wanted, expected] of [
      [["name", "price"], names("createdAt", "name", "price", "updatedAt")],
      [["price"], names("createdAt", "price", "updatedAt")],
      [[], names("createdAt", "updatedAt")],
      [["name"], names("createdAt", "name", "updatedAt")],
    ] as const) {
      const store = open(file, [resource(...wanted)]);
      await store.insert(item, { ...item.example, name: "rare" });
      expect(indexes()).toEqual(expected);
      expect((await store.list(item, rare)).rows.length).toBeGreaterThan(0);
      await close(store);
    }
    const db = new Database(file);
    db.run("CREATE INDEX by_version ON items (version)");
    db.close();
    open(file, [resource()]);
    expect(indexes()).toEqual([{ name: "by_version" }, ...names("createdAt", "updatedAt")]);
  });

  test("and its other tables follow it as well", async () => {
    const box = (options: object) =>
      defineResource({
        name: "box",
        plural: "boxes",
        fields: { name: Type.String(), tags: Type.Array(Type.String()), dueAt: Type.String({ format: "date-time" }) },
        example: { name: "x", tags: [], dueAt: "2026-01-01T00:00:00Z" },
        ...options,
      });
    const everything = { filters: { tags: "contains" }, indexes: ["tags"], search: ["name"], sort: [["dueAt", "-createdAt"]] };
    const made = async (options: object) => {
      const store = open(file, [box(options)]);
      await store.insert(box(options), { name: "x", tags: ["a"], dueAt: "2026-01-01T00:00:00Z" });
      await close(store);
      const db = new Database(file, { readonly: true });
      const names = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE name LIKE 'boxes%' ORDER BY name").all();
      db.close();
      return names.map(({ name }) => name);
    };
    const always = ["boxes", "boxes.createdAt", "boxes.updatedAt"];
    const [tags, search] = ["boxes:elements:tags", "boxes:search"];
    const parts = ["config", "data", "docsize", "idx"].map((part) => `${search}_${part}`);
    const all = [...always, "boxes.-dueAt,createdAt", tags, search, ...parts].sort();
    expect(await made({})).toEqual(always);
    expect(await made(everything)).toEqual(all);
    expect(await made({ ...everything, search: [] })).toEqual(all.filter((name) => !name.startsWith(search)));
    expect(await made({})).toEqual(always);
  });
});

test("write-ahead log, and every commit flushed to the disk: in force on the connection that writes", () => {
  const [connection, ...others] = connectionsOf(file, () => open());
  expect(others).toEqual([]);
  const value = (name: string) => Object.values(connection?.query<Record<string, unknown>, []>(`PRAGMA ${name}`).get() ?? {})[0];
  // 2 is FULL.
  expect([value("journal_mode"), value("synchronous")]).toEqual(["wal", 2]);
  // SQLite would wait for locks on the event loop.
  expect(value("busy_timeout")).toBe(0);
  expect(ask("PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
});

describe("one process serves a database", () => {
  test("a second opener is refused with a message that says what to do", async () => {
    const first = open();
    expect(() => open()).toThrow(
      `The database ${file} is in use by another Warren API. Only one process can serve a SQLite database: stop the other one, or set another file in DATABASE_URL.`,
    );
    await first.insert(item, item.example);
    await close(first);
    expect(await open().log.end()).toBe(1);
  });

  test("a lock is one holder's until it is released", () => {
    const path = join(folder.path, "locks", "a.lock");
    const lock = acquireLock(path);
    expect(acquireLock(path)).toBeUndefined();
    lock?.release();
    const again = acquireLock(path);
    expect(again).toBeDefined();
    again?.release();
  });

  test("trouble with the lock's file that is not another holder is an error", async () => {
    await Bun.write(join(folder.path, "garbage.lock"), "x".repeat(4096));
    expect(() => acquireLock(join(folder.path, "garbage.lock"))).toThrow(/not a database/);
  });
});

describe("a database of a newer program", () => {
  const message = () =>
    `The database ${file} has schema version 99, but this program knows versions up to ${storeMigrations.length}: ` +
    "it was last used by a newer version of Warren. Start that version, or set another file in DATABASE_URL.";
  beforeEach(() => {
    const db = new Database(file, { create: true });
    db.run("PRAGMA user_version = 99");
    db.run("CREATE TABLE theirs (a INTEGER)");
    db.close();
  });

  test("is refused, and left as it is", () => {
    expect(() => open()).toThrow(message());
    expect(ask("PRAGMA user_version")).toEqual({ user_version: 99 });
    expect(ask("SELECT count(*) AS tables FROM sqlite_schema")).toEqual({ tables: 1 });
    // The refusal gave the lock back.
    expect(() => open()).toThrow(message());
  });

  test("is refused by a consumer that follows its log, too", () => {
    expect(() => followLog(file)).toThrow(message());
  });
});

test("a file that is not a database is an error, and leaves no lock", async () => {
  await Bun.write(file, "x".repeat(4096));
  expect(() => open()).toThrow(/not a database/);
  await Bun.file(file).delete();
  expect(() => open()).not.toThrow();
});

test("records from before versions of their schema were noted have the first", async () => {
  const note = defineResource({ name: "note", fields: { name: Type.String() }, example: { name: "a" } });
  const past = [pastVersion({ fields: { name: Type.String() }, up: ({ name }) => ({ title: name }) })];
  const titled = defineResource({ name: "note", fields: { title: Type.String() }, example: { title: "a" }, past });
  const before = open(file, [note]);
  await before.insert(note, { name: "one" });
  await close(before);
  behindItsBack(file, (db) => db.run("DROP TABLE warren_record_versions"));
  expect(JSON.parse((await open(file, [titled]).get(titled, 1))?.json ?? "")).toMatchObject({ id: 1, title: "one" });
});

test("the log of a database without its schema cannot be followed yet", () => {
  new Database(file, { create: true }).close();
  expect(followLog(file)).toBeUndefined();
});
