// A lock that another program has on a file holds up what needs the file, and nothing else: never the event loop.

import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Config, readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import { withStore } from "../src/embedded/queue-store";
import { startEngine } from "../src/engine/engine";
import { loadCatalogue } from "../src/project/resources";
import { StoreUnavailable } from "../src/store/errors";
import { consumerStores } from "../src/store/open";
import { isBusy, whenUnlocked } from "../src/store/sqlite/connection/lock-wait";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { sqliteIn } from "./support/engines";
import type { ItemEvent, ItemPattern } from "./support/item-events";
import { relayTo } from "./support/leader";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue, order } from "./support/resources";
import { useFolder } from "./support/use-folder";

const folder = useFolder();
let file: string;
beforeEach(() => {
  file = join(folder.path, "warren.db");
});

/** Locks a database as an open transaction in a SQLite shell does; returns how to end that. */
function lock(path: string): () => void {
  const db = new Database(path);
  db.run("BEGIN IMMEDIATE");
  return () => {
    db.run("ROLLBACK");
    db.close();
  };
}

/** Lets the event loop turn, while `work` is under way; returns whether it still is. */
async function goesOn(work: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  work.then(end, end);
  for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setTimeout(resolve, 0));
  return !isOver;
}

describe("waiting for a lock", () => {
  const busy = () => Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });

  test("ends with the first success, or with any other error at once", async () => {
    let tries = 0;
    const third = () => {
      tries += 1;
      if (tries < 3) throw new StoreUnavailable("caused by", { cause: busy() });
      return tries;
    };
    expect(await whenUnlocked(third)).toBe(3);
    await expect(whenUnlocked(() => Promise.reject(new RangeError("another")))).rejects.toThrow(RangeError);
  });

  test("ends with the error of SQLite when it takes too long", async () => {
    let tries = 0;
    const never = () => {
      tries += 1;
      throw busy();
    };
    await expect(whenUnlocked(never, 20)).rejects.toThrow("database is locked");
    expect(tries).toBeGreaterThan(1);
  });

  test.each([
    [busy(), true],
    [Object.assign(new Error("recovering"), { code: "SQLITE_BUSY_RECOVERY" }), true],
    [Object.assign(new Error("full"), { code: "SQLITE_FULL" }), false],
    ["SQLITE_BUSY", false],
  ])("%p is about a lock: %p", (error, is) => expect(isBusy(error)).toBe(is));
});

describe("the store", () => {
  let store: Store;
  beforeEach(() => {
    store = openSqliteStore(file, catalogue.resources);
  });
  afterEach(() => store.close());

  test("makes changes when the lock is given back, in their order, and reads meanwhile", async () => {
    await store.insert(order, order.example);
    const unlock = lock(file);
    const changes = Promise.all([
      store.insert(order, order.example),
      store.update(order, 1, (current) => ({ ...current, customer: `${current.customer}!` })),
    ]);
    expect(await goesOn(changes)).toBe(true);
    const later = Promise.all([
      store.update(order, 1, (current) => ({ ...current, customer: `${current.customer}!` })),
      relayTo(store, 1),
      store.check(),
    ]);
    expect(await store.get(order, 1)).toMatchObject({ version: 1 });
    expect(await goesOn(later)).toBe(true);
    unlock();
    expect(await changes).toMatchObject([{ id: 2 }, { version: 2 }]);
    expect((await later)[0]).toMatchObject({ version: 3 });
    expect([await store.relayed.load(), await store.log.end()]).toEqual([1, 4]);
  });

  test("is closed when the lock is given back, with what was under way", async () => {
    const unlock = lock(file);
    const change = store.insert(order, order.example);
    const closing = store.close();
    expect(await goesOn(closing)).toBe(true);
    unlock();
    expect(await change).toMatchObject({ id: 1 });
    await closing;
    store = openSqliteStore(file, catalogue.resources);
    expect(await store.log.end()).toBe(1);
  });
});

describe("the start", () => {
  let config: Config;
  beforeEach(() => {
    config = readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${file}`, RABBITMQ_URL: "none" } });
  });

  test("of the API waits for the lock, and keeps neither the database nor its lock meanwhile", async () => {
    // A database of an older program, which has to be brought up to date.
    new Database(file, { create: true }).close();
    const unlock = lock(file);
    const starting = startEngine(config, await loadCatalogue(), recordedLog().log);
    expect(await goesOn(starting)).toBe(true);
    unlock();
    const engine = await starting;
    expect(await engine.dependencies.system.log.end()).toBe(0);
    await engine.stop();
  });

  test("that fails names the file, and what may lock it", async () => {
    new Database(file, { create: true }).close();
    const unlock = lock(file);
    expect(() => openSqliteStore(file, catalogue.resources)).toThrow(
      `The database ${file} is locked by another program, such as an open transaction in a SQLite shell. End that transaction.`,
    );
    unlock();
    await openSqliteStore(file, catalogue.resources).close();
  });
});

describe("a consumer's file", () => {
  let path: string;
  beforeEach(() => {
    path = join(folder.path, "consumers", "own.db");
    mkdirSync(join(folder.path, "consumers"));
  });

  test("is waited for by short writes", async () => {
    await openConsumerFile(path, { durable: false }).close();
    const unlock = lock(path);
    const writing = withStore(consumerStores(sqliteIn(folder.path)), "own", ({ inbox }) => inbox.add(["one"], 1));
    expect(await goesOn(writing)).toBe(true);
    unlock();
    await writing;
    expect(await withStore(consumerStores(sqliteIn(folder.path)), "own", ({ inbox }) => inbox.has("one"))).toBe(true);
  });

  test.each(["once", "exactlyOnce"])("holds up a consumer that handles %s, which then goes on", async (kind) => {
    const config = readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${file}`, RABBITMQ_URL: "none" } });
    const engine = await startEngine(config, await loadCatalogue(), recordedLog().log);
    const { system: store } = engine.dependencies;
    const { item } = await import("../src/domain/item");
    const handled: number[] = [];
    const ready = Promise.withResolvers<void>();
    const common = { queue: "own", retry: { attempts: 2, firstDelayMs: 1 }, onReady: () => ready.resolve() } as const;
    const handle = (event: ItemEvent) => {
      handled.push(event.item.id);
      if (handled.length === 2) throw new Error("once");
    };
    const consumer = await startConsumer<ItemPattern>(
      kind === "once" ? { ...common, handle } : { ...common, exactlyOnce: true, handle },
      config,
      recordedLog().log,
    );
    await ready.promise;
    await store.insert(item, item.example);
    await eventually(() => consumer.counts.handled === 1 || undefined, "the first event");
    const unlock = lock(path);
    await store.insert(item, item.example);
    expect(await goesOn(consumer.ended)).toBe(true);
    unlock();
    await eventually(() => consumer.counts.handled === 2 || undefined, "the second event");
    expect([handled, consumer.counts.retried, consumer.counts.deadLettered]).toEqual([[1, 2, 2], 1, 0]);
    await consumer.stop();
    await engine.stop();
  });
});
