// Metrics of the store, the relay, the consumers and the queues match what happened there.

import { afterEach, beforeEach, describe, expect, jest, setSystemTime, test } from "bun:test";
import { join } from "node:path";
import { type EventPattern, Reject } from "warren/consumer";
import { buildEvent } from "warren/testing";
import { describeWorkers } from "../src/consumer/metrics";
import { type ConsumerOptions, resolveConsumer } from "../src/delivery/consumer-options";
import type { Delivery } from "../src/delivery/delivery";
import { Worker } from "../src/delivery/worker";
import { item } from "../src/domain/item";
import { describeQueues } from "../src/engine/queue-metrics";
import { describeTimers } from "../src/engine/timer-metrics";
import { Metrics } from "../src/observe/metrics";
import { describeRelay } from "../src/rabbitmq/relay-metrics";
import { embeddedQueues, type QueueState } from "../src/status/queue-states";
import { onlyLane } from "../src/store/consumer/lanes";
import { consumerStores } from "../src/store/open";
import { acquireLock } from "../src/store/sqlite/connection/lock";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openSqliteStore } from "../src/store/sqlite/store";
import { describeStore } from "../src/store/store-metrics";
import type { TimerReads } from "../src/store/timers";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import type { Published } from "./support/mock-channel";
import { origin } from "./support/origin";
import { recordedLog } from "./support/recorded-log";
import { relayOn } from "./support/relay";
import { catalogue } from "./support/resources";
import { readScrape } from "./support/scrape";
import { advance } from "./support/settled";

let folder: ReturnType<typeof temporaryFolder>;
let metrics: Metrics;
beforeEach(() => {
  folder = temporaryFolder();
  metrics = new Metrics(recordedLog().log);
});
afterEach(() => {
  jest.useRealTimers();
  setSystemTime();
  folder.remove();
});
const scrape = async () => readScrape(await metrics.render());

describe("the store", () => {
  test("counts commits, what shared one, and events by type; one that failed is none", async () => {
    const store = openSqliteStore(join(folder.path, "warren.db"), catalogue.resources);
    describeStore(metrics, store);
    const fields = { name: "Sample Item", description: null, price: 1 };
    const unwritable = { ...fields, price: 1n as unknown as number };
    // The second one fails alone.
    const made = await Promise.allSettled([fields, unwritable, fields].map((each) => store.insert(item, each)));
    expect(made.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await Promise.all(Array.from({ length: 98 }, () => store.insert(item, fields)));
    await store.update(item, 1, () => ({ ...fields, price: 2 }));
    const { value } = await scrape();
    const appended = ["created", "updated", "deleted"].map((change) => value("warren_events_appended_total", { type: `item.${change}` }));
    expect(appended).toEqual([100, 1, 0]);
    expect(value("warren_store_commit_changes_sum")).toBe(101);
    expect(value("warren_store_commit_changes_count")).toBe(3);
    expect(value("warren_store_commit_changes_bucket", { le: "64" })).toBe(2);
    expect(value("warren_store_commit_duration_seconds_count")).toBe(3);
    expect(value("warren_store_commit_duration_seconds_sum")).toBeGreaterThan(0);
    expect(value("warren_store_commit_failures_total")).toBe(0);
    await store.close();
  });
});

test("events to publish later: how many wait, how late the first is, and how many have a problem", async () => {
  jest.useFakeTimers({ now: Date.parse("2026-02-18T18:23:45.123Z") });
  let next: number | undefined = Date.now() - 90_000;
  const timers = { next: async () => next, count: async (most: number) => ({ waiting: most, hindered: 2 }) };
  describeTimers(metrics, timers as unknown as TimerReads);
  const values = async () => {
    const { value } = await scrape();
    return ["waiting", "late_seconds", "problems"].map((name) => value(`warren_timers_${name}`));
  };
  expect(await values()).toEqual([10_000, 90, 2]);
  next = Date.now() + 1000;
  expect(await values()).toEqual([10_000, 0, 2]);
  next = undefined;
  expect(await values()).toEqual([10_000, 0, 2]);
  jest.useRealTimers();
});

describe("the relay", () => {
  test("counts confirms, returns and failures, and says how much waits, and for how long", async () => {
    jest.useFakeTimers();
    const { log, channel, relay, run } = relayOn();
    describeRelay(metrics, relay, log);
    log.append(5);
    setSystemTime(new Date(Date.parse("2026-02-18T18:23:45.123Z") + 90_000));
    const answers: ((message: Published) => void)[] = [
      (message) => message.confirm(),
      (message) => message.return(),
      (message) => message.confirm(),
      (message) => message.nack(),
      (message) => message.confirm(),
    ];
    channel.broker = (message) => answers.shift()?.(message);
    const running = run();
    await channel.untilPublished(5);
    await advance(0);
    const waiting = (await scrape()).value;
    const position = "warren_relay_position";
    expect([waiting(position), waiting("warren_relay_backlog_events")]).toEqual([1, 4]);
    expect(Math.floor(waiting("warren_relay_backlog_age_seconds") ?? 0)).toBe(90);
    const counts = ["confirms", "returns", "failures"].map((what) => waiting(`warren_relay_${what}_total`));
    expect(counts).toEqual([3, 1, 1]);

    channel.broker = (message) => message.confirm();
    await advance(1000);
    await channel.untilPublished(9);
    await advance(0);
    const done = (await scrape()).value;
    expect([done(position), done("warren_relay_backlog_events"), done("warren_relay_backlog_age_seconds")]).toEqual([5, 0, 0]);
    expect(done("warren_relay_confirms_total")).toBe(7);
    await relay.stop(0);
    await running;
  });

  test("says nothing about a backlog that it cannot read", async () => {
    const { log, relay } = relayOn();
    log.append(1);
    log.readTrouble = new Error("the disk is gone");
    describeRelay(metrics, relay, log);
    const { value } = await scrape();
    expect([value("warren_relay_backlog_events"), value("warren_relay_confirms_total")]).toEqual([undefined, 0]);
  });
});

describe("a consumer", () => {
  async function workerOf<const Pattern extends EventPattern>(options: ConsumerOptions<Pattern>) {
    const consumer = resolveConsumer(options, catalogue, recordedLog().log, () => {});
    const file = openConsumerFile(":memory:", { durable: false });
    if (consumer.exactlyOnce) await file.together(async ({ transaction }) => consumer.setup(transaction));
    const worker = new Worker(consumer, async () => file);
    describeWorkers(metrics, [worker]);
    return (message: unknown, delivery: Partial<Delivery> = {}) =>
      new Promise<void>((resolve) => {
        const body = typeof message === "string" ? message : JSON.stringify(message);
        worker.take({
          body,
          failures: 0,
          suspect: false,
          replay: "no",
          origin,
          gone: false,
          ...delivery,
          settle: () => void setImmediate(resolve),
        });
      });
  }
  const events = async (queue: string, type: string) => {
    const { value } = await scrape();
    const outcomes = ["handled", "duplicate", "skipped", "retry", "dead-letter"];
    return outcomes.map((outcome) => value("warren_consumer_events_total", { queue, type, outcome }));
  };

  test("counts events by type and outcome from 0 on, and dead letters by reason", async () => {
    const deliver = await workerOf({
      queue: "audit",
      events: ["item.*"],
      handle: ({ item }) => {
        if (item.name === "fails") throw new Error("no");
        if (item.name === "rejected") throw new Reject("never");
      },
    });
    expect(await events("audit", "item.created")).toEqual([0, 0, 0, 0, 0]);
    for (const name of ["good", "good", "good", "fails", "fails", "rejected"]) await deliver(buildEvent("item.created", { name }));
    await deliver(buildEvent("item.created", { name: "fails" }), { failures: 4 });
    await deliver(buildEvent("item.deleted"));
    await deliver(JSON.stringify({ ...buildEvent("item.created"), type: `made.up-${Math.random()}` }));
    await deliver("no JSON");
    expect(await events("audit", "item.created")).toEqual([3, 0, 0, 2, 2]);
    expect(await events("audit", "item.deleted")).toEqual([1, 0, 0, 0, 0]);
    expect(await events("audit", "other")).toEqual([0, 0, 0, 0, 2]);
    const { value, text } = await scrape();
    const dead = (reason: string) => value("warren_consumer_dead_letters_total", { queue: "audit", reason });
    expect(["rejected", "attempts-exhausted", "unknown-type", "not-json", "invalid"].map(dead)).toEqual([1, 1, 1, 1, 0]);
    expect(text).not.toContain("made.up");
  });

  test("counts what the inbox knows as duplicates, which no handler has had", async () => {
    const deliver = await workerOf({ queue: "prices", events: ["item.*"], exactlyOnce: true, handle: () => {} });
    const event = buildEvent("item.created");
    for (let time = 0; time < 3; time += 1) await deliver(event);
    expect(await events("prices", "item.created")).toEqual([1, 2, 0, 0, 0]);
    expect((await scrape()).value("warren_consumer_handler_duration_seconds_count", { queue: "prices" })).toBe(1);
  });

  test("counts what it does not ask for as skipped", async () => {
    const deliver = await workerOf({ queue: "prices", events: ["item.created"], handle: () => {} });
    await deliver(buildEvent("item.updated"));
    expect(await events("prices", "item.updated")).toEqual([0, 0, 1, 0, 0]);
  });

  test("measures the handler, and the time since the commit: not of failures, and not of replays", async () => {
    const deliver = await workerOf({
      queue: "audit",
      events: ["item.*"],
      handle: async ({ item }) => Bun.sleep(item.name === "slow" ? 30 : 0),
    });
    const timestamp = new Date(Date.now() - 3000).toISOString();
    await deliver(buildEvent("item.created", { name: "slow" }, { timestamp }));
    await deliver(buildEvent("item.created", {}, { timestamp }), { replay: "yes" });
    // The clock of another machine may be ahead.
    await deliver(buildEvent("item.created", {}, { timestamp: new Date(Date.now() + 60_000).toISOString() }));
    const { value } = await scrape();
    const labels = { queue: "audit", type: "item.created" };
    expect(value("warren_consumer_handler_duration_seconds_count", labels)).toBe(3);
    expect(value("warren_consumer_handler_duration_seconds_sum", labels)).toBeGreaterThan(0.025);
    expect(value("warren_consumer_delay_seconds_count", labels)).toBe(2);
    expect(value("warren_consumer_delay_seconds_sum", labels)).toBeGreaterThanOrEqual(3);
    expect(value("warren_consumer_delay_seconds_bucket", { ...labels, le: "0.005" })).toBe(1);
  });

  test("says that its breaker is open until a trial has worked", async () => {
    jest.useFakeTimers();
    let works = false;
    const deliver = await workerOf({
      queue: "audit",
      events: ["item.*"],
      breaker: { minimum: 2, pauseMs: 1000 },
      handle: () => {
        if (!works) throw new Error("no");
      },
    });
    const open = async () => (await scrape()).value("warren_consumer_breaker_open", { queue: "audit" });
    await deliver(buildEvent("item.created"));
    expect(await open()).toBe(0);
    await deliver(buildEvent("item.created"));
    expect(await open()).toBe(1);
    works = true;
    const trial = deliver(buildEvent("item.created"));
    await advance(999);
    expect(await open()).toBe(1);
    await advance(1);
    await trial;
    expect(await open()).toBe(0);
  });

  test("on a temporary queue is called so: a new name at each start would be a new series", async () => {
    const deliver = await workerOf({ events: ["item.*"], handle: () => {} });
    await deliver(buildEvent("item.created"));
    expect(await events("temporary", "item.created")).toEqual([1, 0, 0, 0, 0]);
    expect((await scrape()).text).not.toContain("temporary-");
  });
});

describe("the queues", () => {
  const state: QueueState = { queue: "audit", messages: null, consumers: 1, retries: 3, deadLetters: 2, oldestAt: null };
  const shown = async (queue = "audit") => {
    const { value } = await scrape();
    return ["messages", "consumers", "retries", "dead_letters"].map((what) => value(`warren_queue_${what}`, { queue }));
  };

  test("are asked once at a time and every 5 s at most; an answer is shown for a minute", async () => {
    jest.useFakeTimers();
    let asked = 0;
    let answer = Promise.resolve([state]);
    describeQueues(metrics, () => {
      asked += 1;
      return answer;
    });
    expect([await shown(), asked]).toEqual([[undefined, 1, 3, 2], 1]);
    jest.advanceTimersByTime(4999);
    expect([await shown(), asked]).toEqual([[undefined, 1, 3, 2], 1]);

    // Nobody answers any more.
    answer = new Promise(() => {});
    jest.advanceTimersByTime(1);
    for (let second = 5; second < 59; second += 3) {
      const during = shown();
      await advance(3000);
      expect([await during, asked]).toEqual([[undefined, 1, 3, 2], 2]);
    }
    const late = shown();
    await advance(3000);
    expect([await late, asked]).toEqual([[undefined, undefined, undefined, undefined], 2]);
  });

  test("are what the consumers' files say where there is no broker, whoever has them open", async () => {
    const store = openSqliteStore(join(folder.path, "warren.db"), catalogue.resources);
    for (let made = 0; made < 5; made += 1) await store.insert(item, { name: "Sample Item", description: null, price: 1 });
    const path = join(folder.path, "consumers", "audit.db");
    const file = openConsumerFile(path, { durable: false });
    await file.saveProgress(store.logId, [{ lane: onlyLane, position: 3, begun: 4 }]);
    await file.waiting.add({ id: "a", body: "{}", attempts: 1, dueAt: 0, delayMs: 0, firstFailure: null, replay: "no", traceparent: null });
    const failure = { error: "", stack: null, attempts: 1, firstFailure: "", lastFailure: "", replay: "no", traceparent: null } as const;
    for (const id of ["b", "c"]) await file.dead.add({ id, type: null, body: "{}", reason: "rejected", ...failure });
    // One that gets its events from RabbitMQ has read no log.
    openConsumerFile(join(folder.path, "consumers", "other.db"), { durable: false }).close();
    const ask = embeddedQueues(store, consumerStores(sqliteIn(folder.path)));
    const lock = acquireLock(`${path}.lock`);
    const [audit, other] = await ask();
    const [fourth] = await store.log.read(3, 1);
    expect(audit).toEqual({ queue: "audit", messages: 2, consumers: 1, retries: 1, deadLetters: 2, oldestAt: fourth?.timestamp ?? "" });
    expect(other).toEqual({ queue: "other", messages: null, consumers: 0, retries: 0, deadLetters: 0, oldestAt: null });
    lock?.release();
    // A handler is in its transaction.
    await file.together((own) => own.saveProgress(store.logId, [{ lane: onlyLane, position: 5, begun: 5 }]));
    expect((await ask())[0]).toMatchObject({ messages: 0, consumers: 0, oldestAt: null });
    await file.close();
    await store.close();
  });
});
