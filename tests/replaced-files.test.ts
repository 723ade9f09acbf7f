// `rm -rf data` under running processes: nothing is written into a file that is gone, and consumers go on with the new log.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ConsumerOptions, ExactlyOnceContext } from "warren/consumer";
import { type Config, readConfig } from "../src/config/config";
import { healthOf } from "../src/consumer/health";
import { startConsumer } from "../src/consumer/start";
import type { RunningConsumer } from "../src/delivery/running";
import { item } from "../src/domain/item";
import { type Engine, startEngine } from "../src/engine/engine";
import { SystemObserver } from "../src/status/system-state";
import type { Transaction } from "../src/store/consumer/transaction";
import { StoreReplaced } from "../src/store/errors";
import { consumerStores } from "../src/store/open";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openSqliteStore } from "../src/store/sqlite/store";
import { isOnPostgres, openApi } from "./support/api";
import { CommitThreads } from "./support/commit-threads";
import { testInFull } from "./support/in-full";
import { relayTo } from "./support/leader";
import { PassingTime } from "./support/passing-time";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue, order } from "./support/resources";
import { useFolder } from "./support/use-folder";

const folder = useFolder();
let data: string;
let file: string;
beforeEach(() => {
  data = join(folder.path, "data");
  file = join(data, "warren.db");
});

const removeAll = () => rmSync(data, { recursive: true });

describe("a store whose file was removed", () => {
  test.each([undefined, 0])("refuses changes, reads, and works again when it is back; slow from %p s on", async (quickCommitSeconds) => {
    const threads = new CommitThreads();
    const store = openSqliteStore(file, catalogue.resources, { quickCommitSeconds });
    for (let n = 0; n < 3; n += 1) await store.insert(order, order.example);
    if (quickCommitSeconds !== undefined) await threads.opened;
    const away = join(folder.path, "away");
    renameSync(data, away);
    expect(store.isReplaced()).toBe(true);
    const changes = await Promise.allSettled([store.insert(order, order.example), store.check(), relayTo(store, 1)]);
    for (const change of changes) expect(change).toMatchObject({ reason: expect.any(StoreReplaced) });
    expect([(await store.list(order, { limit: 10 })).rows.length, await store.log.end()]).toEqual([3, 3]);
    renameSync(away, data);
    expect(store.isReplaced()).toBe(false);
    expect((await store.insert(order, order.example)).id).toBe(4);
    await store.close();
    threads.restore();
  });

  test.skipIf(isOnPostgres)("says so over HTTP", async () => {
    const api = openApi();
    rmSync(join(api.consumersDir, "..", "warren.db"));
    const ready = await api.send("GET", "/health/ready");
    expect([ready.status, ready.json<{ detail: string }>().detail]).toEqual([
      503,
      "The database was removed or replaced; restart the API.",
    ]);
    const post = await api.send("POST", "/items", { name: "lost?" });
    expect([post.status, post.json<{ detail: string }>().detail]).toEqual([
      503,
      "The database was removed or replaced. Nothing was changed. Restart the API.",
    ]);
    expect((await api.send("GET", "/health/live")).status).toBe(200);
    await api.close();
  });

  testInFull("is an error in the log of the API, once", async () => {
    const { log, lines } = recordedLog();
    const engine = await startEngine(configOf(), catalogue, log);
    removeAll();
    const said = () => lines.filter(({ level }) => level === "error");
    await eventually(() => said().length > 0 || undefined, "the error");
    expect(said()).toMatchObject([{ database: file, msg: expect.stringMatching(/^The database was removed or replaced/) }]);
    await engine.stop();
  });
});

type AnyEvent = { readonly item: { readonly name: string } };
test("`status --watch` shows the database that is there now", async () => {
  const config = configOf();
  const transport = { name: "embedded", reason: "of the test" } as const;
  const observer = new SystemObserver({
    ...{ config, broker: undefined, consumers: consumerStores(config), transport, catalogue },
    isServed: async () => true,
  });
  for (const events of [1, 2]) {
    const store = openSqliteStore(file, catalogue.resources);
    for (let n = 0; n < events; n += 1) await store.insert(order, order.example);
    expect((await observer.look()).log?.events).toBe(events);
    await store.close();
    removeAll();
  }
  observer.close();
});

const configOf = (): Config => readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${file}`, RABBITMQ_URL: "none" } });

describe("an embedded consumer whose files were removed", () => {
  let config: Config;
  let engine: Engine;
  let consumer: RunningConsumer;
  let handled: string[];
  let recorded: ReturnType<typeof recordedLog>;
  let time: PassingTime;
  beforeEach(async () => {
    time = new PassingTime();
    config = configOf();
    recorded = recordedLog();
    handled = [];
    engine = await startEngine(config, catalogue, recordedLog().log);
  });
  afterEach(async () => {
    await consumer.stop();
    await engine.stop();
    time.restore();
  });

  /** Lets the consumer look at its files again. */
  const untilNextLook = () => time.pass(1000);

  async function start(options: object = {}): Promise<void> {
    const ready = Promise.withResolvers<void>();
    consumer = await startConsumer(
      {
        queue: "own",
        handle: (event) => void handled.push(event.item.name),
        onReady: () => ready.resolve(),
        ...options,
      } as ConsumerOptions<"item.*">,
      config,
      recorded.log,
    );
    await ready.promise;
  }
  const insert = (name: string) => engine.dependencies.system.insert(item, { name, description: null, price: null });
  const untilHandled = (...names: string[]) =>
    eventually(() => (handled.length >= names.length ? true : undefined), `${names}`).then(() => expect(handled).toEqual(names));

  async function replaceAll(): Promise<void> {
    removeAll();
    untilNextLook();
    await engine.stop();
    engine = await startEngine(config, catalogue, recordedLog().log);
  }

  test.each(["beginning", "now"] as const)("goes on with a new database, from %s on, and says so", async (startFrom) => {
    await start({ startFrom });
    await insert("old");
    await untilHandled("old");
    await replaceAll();
    await insert("new");
    await untilHandled("old", "new");
    expect(recorded.lines.filter(({ level }) => level === "warn")).toMatchObject([
      { queue: "own", msg: "The database was removed or replaced; finishing the events in progress, then continuing with the current one" },
    ]);
    expect(healthOf(consumer)).toEqual({ queue: "own", status: "ready" });
    // Its place is in a file that is there.
    await consumer.stop();
    const own = openConsumerFile(join(data, "consumers", "own.db"), { durable: false });
    expect(await own.progress(engine.dependencies.system.logId)).toEqual({ position: 1, begun: 1 });
    await own.close();
  });

  test("handles everything that was in the old log first, and is degraded or waits meanwhile", async () => {
    const gate = Promise.withResolvers<void>();
    await start({
      handle: async ({ item: { name } }: AnyEvent) => {
        handled.push(name);
        if (name === "1") await gate.promise;
      },
      prefetch: 2,
      concurrency: 1,
    });
    for (const name of ["1", "2", "3", "4"]) await insert(name);
    await untilHandled("1");
    removeAll();
    untilNextLook();
    await engine.stop();
    gate.resolve();
    await untilHandled("1", "2", "3", "4");
    await eventually(() => healthOf(consumer).status === "not ready" || undefined, "waiting for a database");
    expect(healthOf(consumer).detail).toBe("Waiting for the API to create its database.");
    engine = await startEngine(config, catalogue, recordedLog().log);
    await insert("5");
    await untilHandled("1", "2", "3", "4", "5");
  });

  test("goes on where it was in a copy of the same log", async () => {
    await start();
    await insert("one");
    await untilHandled("one");
    await engine.stop();
    renameSync(file, `${file}.old`);
    await Bun.write(file, Bun.file(`${file}.old`));
    untilNextLook();
    engine = await startEngine(config, catalogue, recordedLog().log);
    await insert("two");
    await untilHandled("one", "two");
  });

  test("only its own: has each effect in a new one", async () => {
    await start({
      exactlyOnce: true,
      setup: (tx: Transaction) => tx.run("CREATE TABLE IF NOT EXISTS effects (name TEXT)"),
      handle: async ({ item: { name } }: AnyEvent, { tx }: ExactlyOnceContext) => {
        handled.push(name);
        await tx.run("INSERT INTO effects VALUES (?)", name);
      },
    });
    await insert("one");
    await untilHandled("one");
    rmSync(join(data, "consumers"), { recursive: true });
    untilNextLook();
    await insert("two");
    await eventually(
      () => (handled.lastIndexOf("two") > handled.lastIndexOf("one") && consumer.counts.handled > 1) || undefined,
      "the second event",
    );
    await eventually(() => handled.lastIndexOf("one") > 0 || undefined, "the first event again");
    await eventually(() => consumer.counts.handled === handled.length || undefined, "the end of the last one");
    await consumer.stop();
    const own = openConsumerFile(join(data, "consumers", "own.db"), { durable: false });
    expect(await own.transaction.all("SELECT name FROM effects ORDER BY name")).toEqual([{ name: "one" }, { name: "two" }]);
    await own.close();
  });

  test("ends with a clear error when something else is in the place of the database", async () => {
    await start();
    removeAll();
    await Bun.write(
      file,
      "not a database at all, and long enough to be looked at as one by SQLite, which reads a header of a hundred bytes",
    );
    untilNextLook();
    await expect(consumer.ended).rejects.toThrow(`Cannot read the event log in ${file}: file is not a database`);
    consumer = { ...consumer, stop: async () => {} };
  });
});
