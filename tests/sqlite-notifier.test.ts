// A consumer that has nothing to do looks rarely, and is told of commits by the operating system; where that does not, it looks often.
import { beforeEach, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { join } from "node:path";
import { readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import type { RunningConsumer } from "../src/delivery/running";
import { item } from "../src/domain/item";
import { type Engine, startEngine } from "../src/engine/engine";
import { CommitNotifier } from "../src/store/sqlite/log/commit-notifier";
import { LogWatch } from "../src/store/sqlite/log/log-watch";
import { openSqliteStore } from "../src/store/sqlite/store";
import { testInFull } from "./support/in-full";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue, order } from "./support/resources";
import { useFolder } from "./support/use-folder";

const folder = useFolder();
let file: string;
beforeEach(() => {
  file = join(folder.path, "warren.db");
});

describe("how long it waits", () => {
  let hasChanged = false;
  const notifierOf = (path: string) =>
    new CommitNotifier(
      path,
      () => hasChanged,
      () => {},
    );
  const pauses = (notifier: CommitNotifier, count: number, onlyCommits = true) =>
    Array.from({ length: count }, () => notifier.pauseMs(onlyCommits));
  beforeEach(() => {
    hasChanged = false;
  });

  test("grows while nothing happens, and is short again after a commit", () => {
    const notifier = notifierOf(file);
    expect([notifier.changed(), pauses(notifier, 9)]).toEqual([false, [1, 2, 4, 8, 16, 32, 64, 100, 100]]);
    hasChanged = true;
    expect([notifier.changed(), pauses(notifier, 2)]).toEqual([true, [1, 2]]);
    notifier.close();
  });

  test("is short again after a commit is reported", async () => {
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const notifier = new CommitNotifier(file, () => false, resolve);
    pauses(notifier, 9);
    fs.writeFileSync(`${file}-wal`, "x");
    await told;
    expect(pauses(notifier, 2)).toEqual([1, 2]);
    notifier.close();
  });

  test("stays short if something else is awaited, or commits are not reported", () => {
    const notifier = notifierOf(file);
    expect(pauses(notifier, 9, false)).toEqual(Array(9).fill(5));
    notifier.close();
    expect(pauses(notifierOf(join(folder.path, "no", "such", "folder.db")), 9)).toEqual(Array(9).fill(5));
  });
});

describe("the watch", () => {
  test("reports each commit, also in a database that is created again", async () => {
    let told = 0;
    const watch = new LogWatch(file, () => {
      told += 1;
    });
    for (let round = 0; round < 2; round += 1) {
      const store = openSqliteStore(file, catalogue.resources);
      for (let n = 0; n < 3; n += 1) {
        // What was done before may be told of late.
        await Bun.sleep(20);
        const before = told;
        await store.insert(order, order.example);
        await eventually(() => told > before || undefined, "the commit");
        watch.found();
        expect(watch.isReliable).toBe(true);
      }
      await store.close();
      fs.rmSync(file);
    }
    watch.close();
    expect(watch.isReliable).toBe(false);
  });

  test("is not relied on after unreported commits, until it reports one", async () => {
    const watch = new LogWatch(file, () => {});
    for (const expected of [true, true, false]) {
      watch.found();
      expect(watch.isReliable).toBe(expected);
    }
    fs.writeFileSync(`${file}-wal`, "x");
    await eventually(() => watch.isReliable || undefined, "the change");
    watch.close();
  });

  test("is not relied on if the folder does not exist", () => {
    expect(new LogWatch(join(folder.path, "no", "such", "folder.db"), () => {}).isReliable).toBe(false);
  });
});

testInFull("a consumer that has been idle hears of an event soon, with and without a watch", async () => {
  const { watch } = fs;
  const config = readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${file}`, RABBITMQ_URL: "none" } });
  const engine: Engine = await startEngine(config, catalogue, recordedLog().log);
  const delays: Record<string, number[]> = { told: [], untold: [] };
  for (const kind of ["told", "untold"] as const) {
    if (kind === "untold") {
      fs.watch = () => {
        throw new Error("There are too many.");
      };
    }
    let handledAt = 0;
    const ready = Promise.withResolvers<void>();
    const consumer: RunningConsumer = await startConsumer(
      {
        queue: kind,
        startFrom: "now",
        handle() {
          handledAt = performance.now();
        },
        onReady: () => ready.resolve(),
      },
      config,
      recordedLog().log,
    );
    await ready.promise;
    for (let n = 0; n < 3; n += 1) {
      // Until it waits as long as it ever does.
      await Bun.sleep(260);
      handledAt = 0;
      const committedAt = performance.now();
      await engine.dependencies.system.insert(item, item.example);
      await eventually(() => handledAt > 0 || undefined, "the event");
      delays[kind]?.push(handledAt - committedAt);
    }
    await consumer.stop();
  }
  fs.watch = watch;
  await engine.stop();
  // Some milliseconds, where nothing else runs; a consumer that only looked now and then would need 50 on average.
  for (const [, each] of Object.entries(delays)) expect(Math.min(...each)).toBeLessThan(20);
});
