// Changes are committed by a thread of their own when a commit takes long: what holds on the main thread holds there too.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Item, item } from "../src/domain/item";
import { StoreUnavailable } from "../src/store/errors";
import { AdaptiveCommitter } from "../src/store/sqlite/commit/adaptive-committer";
import { BatchWriter } from "../src/store/sqlite/commit/batch-writer";
import { startCommitThread } from "../src/store/sqlite/commit/commit-thread";
import { GroupCommit } from "../src/store/sqlite/commit/group-commit";
import type { Writes } from "../src/store/sqlite/commit/uncommitted";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { CommitThreads } from "./support/commit-threads";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { declareGroupChanges } from "./support/group-changes";
import { testInFull } from "./support/in-full";
import { relayTo } from "./support/leader";
import { loggedEvents } from "./support/logged-events";
import { eventually } from "./support/processes";
import { refuseRows } from "./support/refuse-rows";
import { catalogue } from "./support/resources";

const fields = { name: "x", description: null, price: null };

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let threads: CommitThreads;
let store: Store;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
  threads = new CommitThreads();
  store = openSqliteStore(file, catalogue.resources, { quickCommitSeconds: 0, patienceMs: 500 });
});
afterEach(async () => {
  await store.close();
  threads.restore();
  folder.remove();
});

/** Keeps others from writing; returns how to end that. */
function locked(path: string): () => void {
  const other = new Database(path);
  other.run("BEGIN IMMEDIATE");
  return () => {
    other.run("ROLLBACK");
    other.close();
  };
}

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const insertMany = (count: number) => Promise.all(many(count, (index) => store.insert(item, { ...fields, price: index })));

/** From here on, changes that come together are committed apart. */
async function startThread(): Promise<void> {
  await insertMany(10);
  await threads.opened;
}

const dearer = (current: Item) => ({ ...current, price: (current.price ?? 0) + 1 });

/** Looked at from the start: a change may fail before all have been asked for. */
const settled = async (change: Promise<unknown>) => (await Promise.allSettled([change]))[0];

const events = () => loggedEvents(store);
const versions = async () =>
  (await events()).map(({ type, item }) => `${type} ${(item as { id: number }).id} ${(item as { version: number }).version}`);

describe("where changes are committed", () => {
  test("apart, and by one thread for all, when a commit is not quick", async () => {
    await startThread();
    await insertMany(100);
    expect(threads.workers.length).toBe(1);
    expect((await versions()).length).toBe(110);
  });

  test("here while commits are quick, apart when two were not, and here again", async () => {
    const db = new Database(join(folder.path, "other.db"), { create: true });
    db.run("PRAGMA journal_mode = WAL");
    db.run("CREATE TABLE rows (n INTEGER PRIMARY KEY)");
    let seconds = 0;
    let here = 0;
    class Writer extends BatchWriter {
      override commit(batches: readonly Writes[]): number {
        super.commit(batches);
        here += 1;
        return seconds;
      }
    }
    const commits = new GroupCommit(
      ({ sql }, on) => new AdaptiveCommitter(new Writer(db, sql), { quickSeconds: 10, patienceMs: 1000 }, on),
    );
    const insert = commits.uncommitted.prepare("INSERT INTO rows VALUES (NULL)");
    const commit = () => commits.run(() => insert());
    for (let n = 0; n < 5; n += 1) await commit();
    expect([here, threads.workers.length]).toEqual([5, 0]);
    for (const took of [11, 0, 11]) {
      seconds = took;
      await commit();
    }
    await commit();
    expect([here, threads.workers.length]).toEqual([9, 0]);
    // Two were slow. This one starts the thread, and does not wait for it.
    await commit();
    expect([here, threads.workers.length]).toEqual([10, 1]);
    await threads.opened;
    await commit();
    expect(here).toBe(10);
    // It was quick.
    seconds = 0;
    await commit();
    expect([here, db.query("SELECT count(*) AS rows FROM rows").get()]).toEqual([11, { rows: 12 }]);
    await commits.close();
    db.close();
  });

  test("a store has no thread by default", async () => {
    await store.close();
    store = openSqliteStore(file, catalogue.resources);
    await insertMany(100);
    expect(threads.workers).toEqual([]);
  });

  test("the event loop and every read go on while a commit waits", async () => {
    await startThread();
    const other = new Database(file);
    other.run("BEGIN IMMEDIATE");
    let answered = 0;
    const changes = many(10, () =>
      store.update(item, 1, dearer).then(() => {
        answered += 1;
      }),
    );
    await new Promise(setImmediate);
    for (let n = 0; n < 20; n += 1) {
      expect((await store.get(item, 1))?.version).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(answered).toBe(0);
    other.run("ROLLBACK");
    other.close();
    await Promise.all(changes);
    expect((await store.get(item, 1))?.version).toBe(11);
  });
});

describe("committed apart", () => {
  beforeEach(startThread);

  declareGroupChanges(
    () => store,
    () => refuseRows(sqliteIn(folder.path), "events", "INSERT", "body"),
  );
});

describe("trouble", () => {
  beforeEach(startThread);

  test("of the store rejects everything that is under way, and it works again afterwards", async () => {
    const other = new Database(file);
    other.run("BEGIN IMMEDIATE");
    const changes: Promise<PromiseSettledResult<unknown>>[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      changes.push(...many(6, () => settled(store.insert(item, fields))), settled(store.update(item, 1, dearer)));
      await new Promise(setImmediate);
    }
    const results = await Promise.all(changes);
    other.run("ROLLBACK");
    other.close();
    for (const each of results) expect(each.status === "rejected" && String(each.reason)).toMatch(/^StoreUnavailable: SQLITE_BUSY/);
    expect((await insertMany(6)).map(({ id }) => id)).toEqual([11, 12, 13, 14, 15, 16]);
    expect((await store.get(item, 1))?.version).toBe(1);
    expect(store.tally.commits.failures).toBeGreaterThan(0);
  });

  test("a thread that ends between a commit and its message: each change is made once, and answered as made", async () => {
    const [worker] = threads.workers as [Worker];
    // What it still says is not heard.
    worker.onmessage = null;
    const { length: before } = await events();
    const added = many(6, () => store.insert(item, fields));
    const changed = many(3, () => store.update(item, 1, (current) => ({ ...current, price: (current.price ?? 0) + 1 })));
    const saved = relayTo(store, 3);
    await eventually(async () => (await store.log.end()) === before + 9 || undefined, "the commit");
    worker.terminate();
    const made = await Promise.all(added);
    expect(made.map(({ id }) => id)).toEqual(many(6, (index) => before + 1 + index));
    expect((await Promise.all(changed)).map((stored) => stored?.version)).toEqual([2, 3, 4]);
    await saved;
    expect([(await events()).length, (await store.list(item, { limit: 100 })).rows.length]).toEqual([before + 9, before + 6]);
  });

  test("a thread that ends before a commit: the changes are made here, each once", async () => {
    const [worker] = threads.workers as [Worker];
    const { length: before } = await events();
    const unlock = locked(file);
    const changes: Promise<unknown>[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      changes.push(
        ...many(2, () => store.insert(item, fields)),
        relayTo(store, turn),
        store.update(item, 1, (current) => ({ ...current, price: turn + 1 })),
      );
      await new Promise(setImmediate);
    }
    worker.terminate();
    unlock();
    await Promise.all(changes);
    expect(await store.relayed.load()).toBe(2);
    expect([(await events()).length, (await store.list(item, { limit: 100 })).rows.length]).toEqual([before + 9, before + 6]);
    expect((await store.get(item, 1))?.version).toBe(4);
    // The next one that is needed is started.
    await eventually(async () => {
      await insertMany(6);
      return threads.workers.length === 2 || undefined;
    }, "another thread");
  });

  test("a thread that cannot open the database says why", async () => {
    const started = startCommitThread(join(folder.path, "no", "such", "folder.db"), [], 0, { committed: () => {}, failed: () => {} });
    await expect(started).rejects.toThrow(/^unable to open database file$/);
  });
});

test("what is under way when the store is closed is committed, and the next process has it", async () => {
  await startThread();
  const under = insertMany(50);
  await store.close();
  expect((await under).length).toBe(50);
  store = openSqliteStore(file, catalogue.resources, { quickCommitSeconds: 0 });
  expect([(await store.list(item, { limit: 100 })).rows.length, await store.log.end()]).toEqual([60, 60]);
});

test("a change that is made when the last one is answered, while the store is closed, is committed, too", async () => {
  await startThread();
  const chain = insertMany(6).then(() => insertMany(6));
  await store.close();
  expect((await chain).length).toBe(6);
  await expect(store.insert(item, fields)).rejects.toBeInstanceOf(StoreUnavailable);
  store = openSqliteStore(file, catalogue.resources);
});

test("a store that is closed while the thread starts", async () => {
  const under = insertMany(10);
  await new Promise(setImmediate);
  await store.close();
  expect((await under).length).toBe(10);
  store = openSqliteStore(file, catalogue.resources);
  expect(await store.log.end()).toBe(10);
});

test("a reader who has seen an event on another connection finds the record here", async () => {
  await startThread();
  const other = new Database(file, { readonly: true });
  const newest = other.prepare<{ id: number | null }, []>("SELECT max(subject) AS id FROM events");
  let isDone = false;
  const changes = (async () => {
    for (let n = 0; n < 30; n += 1) await insertMany(6);
    isDone = true;
  })();
  while (!isDone) {
    await store.get(item, 1);
    const id = newest.get()?.id ?? 1;
    expect((await store.get(item, id))?.id).toBe(id);
    await new Promise(setImmediate);
  }
  await changes;
  other.close();
});

test("listeners hear of each commit that added events, when these can be read", async () => {
  await startThread();
  const ends: Promise<number>[] = [];
  const stop = store.onAppend(() => ends.push(store.log.end()));
  await insertMany(20);
  stop();
  expect((await Promise.all(ends)).at(-1)).toBe(30);
});

// How long 60 MB take is the disk's affair.
testInFull(
  "reads between all commits do not keep SQLite's write-ahead log from restarting",
  async () => {
    await startThread();
    const long = { ...fields, description: "x".repeat(2000) };
    for (let n = 0; n < 150; n += 1) {
      const inserted = Promise.all(many(100, () => store.insert(item, long)));
      let isDone = false;
      void inserted.then(() => {
        isDone = true;
      });
      while (!isDone) {
        await store.get(item, 1);
        await new Promise(setImmediate);
      }
    }
    // 60 MB were written; the log is taken back to its start whenever it has about 16 MB.
    expect(statSync(`${file}-wal`).size).toBeLessThan(25_000_000);
    const other = new Database(file);
    const checkpoint = () => other.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy;
    await eventually(() => (checkpoint() === 0 ? true : undefined), "the end of all transactions");
    other.close();
  },
  60_000,
);
