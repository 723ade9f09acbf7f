// The clock of the machine is put forward and back, in a running process and between two: times stay in order, and nothing
// comes late or is lost for that.

import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import { startEngine } from "../src/engine/engine";
import { keepRetention } from "../src/engine/retention";
import { ageSeconds } from "../src/rabbitmq/backlog";
import { onlyLane } from "../src/store/consumer/lanes";
import { consumerStores } from "../src/store/open";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { earliestNow, steadyNow } from "../src/timing/clock";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { PassingTime } from "./support/passing-time";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue, order } from "./support/resources";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let time: PassingTime;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
  time = new PassingTime();
});
afterEach(() => {
  time.restore();
  folder.remove();
});

test("the steady clock knows of no jump", () => {
  const before = steadyNow();
  time.putForward(hourMs);
  expect(steadyNow() - before).toBeLessThan(minuteMs);
  expect(Math.abs(earliestNow() - steadyNow())).toBeLessThan(2);
  time.putForward(-2 * hourMs);
  expect(steadyNow() - before).toBeLessThan(minuteMs);
  expect(steadyNow() - earliestNow()).toBeGreaterThan(59 * minuteMs);
  time.pass(hourMs);
  expect(steadyNow() - before).toBeGreaterThanOrEqual(hourMs);
});

describe("a store", () => {
  let store: Store;
  beforeEach(() => {
    store = openSqliteStore(file, catalogue.resources);
  });
  afterEach(() => store.close());

  describe("a key of Idempotency-Key", () => {
    const insert = (key: string) =>
      store.insertAll(order, [order.example], ([created]) => String(created?.id), { once: { key, fingerprint: "", part: 0 } });

    test("of an earlier process, whose clock was ahead, expires a day after this one saw it, and holds up no other", async () => {
      await insert("old");
      await store.close();
      const db = new Database(file);
      db.run("UPDATE idempotency_keys SET at = at + ?", [365 * 24 * hourMs]);
      db.close();
      store = openSqliteStore(file, catalogue.resources);
      time.pass(23 * hourMs);
      expect(await insert("old")).toBe("1");
      time.pass(2 * hourMs);
      expect(await insert("new")).toBe("2");
      expect(await insert("old")).toBe("3");
    });
  });

  test("a clock that is put forward prunes nothing", async () => {
    await store.insert(order, order.example);
    const prune = async () => {
      const options = {
        store,
        isRelayed: false,
        consumers: consumerStores(sqliteIn(folder.path)),
        log: recordedLog().log,
      };
      await keepRetention({ ...options, config: { eventRetentionMs: hourMs } }).stop();
      return store.log.pruned();
    };
    time.putForward(2 * hourMs);
    expect(await prune()).toBe(0);
    time.pass(2 * hourMs);
    expect(await prune()).toBe(1);
  });
});

test("a start says that the clock is behind the newest event", async () => {
  const config = readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${file}`, RABBITMQ_URL: "none" } });
  for (const expected of [0, 0, 1]) {
    if (expected === 1) time.putForward(-10 * minuteMs);
    const { log, lines } = recordedLog();
    const engine = await startEngine(config, catalogue, log);
    await engine.dependencies.system.insert(order, order.example);
    await engine.stop();
    expect(lines.filter(({ msg }) => String(msg).startsWith("The clock of this machine is behind")).length).toBe(expected);
  }
});

test("a backlog does not look young because the clock was put back", () => {
  const timestamp = new Date().toISOString();
  time.pass(10 * minuteMs);
  time.putForward(-10 * minuteMs);
  expect(ageSeconds(timestamp)).toBeGreaterThanOrEqual(599);
});

describe("a consumer's retry", () => {
  test.each([-10 * minuteMs, 10 * minuteMs])("comes when its delay has passed, though the clock jumps by %i ms", async (jumpMs) => {
    const config = readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${file}`, RABBITMQ_URL: "none" } });
    const { log } = recordedLog();
    const engine = await startEngine(config, catalogue, log);
    const failed = Promise.withResolvers<void>();
    let attempts = 0;
    const consumer = await startConsumer(
      {
        queue: "own",
        retry: { firstDelayMs: 2 * minuteMs, longestDelayMs: 2 * minuteMs },
        handle() {
          attempts += 1;
          if (attempts === 1) throw new Error("once");
        },
        onReady: () => failed.resolve(),
      },
      config,
      log,
    );
    await failed.promise;
    const { item } = await import("../src/domain/item");
    await engine.dependencies.system.insert(item, item.example);
    await eventually(() => consumer.counts.retried === 1 || undefined, "the first failure");
    time.putForward(jumpMs);
    time.pass(minuteMs);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(attempts).toBe(1);
    time.pass(minuteMs * 2);
    await eventually(() => consumer.counts.handled === 1 || undefined, "the retry");
    expect(attempts).toBe(2);
    await consumer.stop();
    await engine.stop();
  });

  test("and what is in the inbox are bounded by what has passed since this process saw them", async () => {
    const own = openConsumerFile(join(folder.path, "own.db"), { durable: false });
    const now = steadyNow();
    const row = { id: "a", body: "{}", attempts: 1, firstFailure: null, replay: "no", traceparent: null } as const;
    await own.waiting.add({ ...row, dueAt: now + 10 * minuteMs, delayMs: 5000 });
    await own.waiting.add({ ...row, dueAt: now + 2000, delayMs: 5000 });
    await own.inbox.add(["ahead"], now + hourMs);
    await own.bound(now);
    expect(await own.waiting.due(now + 1999, [onlyLane], new Set(), 10)).toEqual([]);
    expect((await own.waiting.due(now + 2000, [onlyLane], new Set(), 10)).map(({ number }) => number)).toEqual([2]);
    expect((await own.waiting.due(now + 5000, [onlyLane], new Set(), 10)).map(({ number }) => number)).toEqual([2, 1]);
    expect([await own.inbox.expire(now), await own.inbox.expire(now + 1)]).toEqual([0, 1]);
    await own.close();
  });
});
