// How long a consumer without a broker waits while it has nothing to do.
import { afterEach, beforeEach, expect, jest, spyOn, test } from "bun:test";
import { buildEvent } from "warren/testing";
import { resolveConsumer } from "../src/delivery/consumer-options";
import { Worker } from "../src/delivery/worker";
import { EmbeddedConsumer } from "../src/embedded/consume";
import { wholeShare } from "../src/store/consumer/lanes";
import type { LogEntry } from "../src/store/log";
import type { Notifier } from "../src/store/log-follower";
import { temporaryConsumerStore } from "../src/store/open";
import { steadyNow } from "../src/timing/clock";
import { MemoryLog } from "./support/memory-log";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A log that never grows, and that never asks its readers to look at it again. */
class QuietLog extends MemoryLog {
  readonly logId = "quiet";
  /** Number of times that a reader was about to wait. */
  pauses = 0;
  /** Called while the log is read. */
  onRead: () => void = () => {};

  readonly schedules = async () => [];
  readonly find = async () => undefined;

  isReplaced(): boolean {
    return false;
  }

  notifier(): Notifier {
    const pauseMs = () => {
      this.pauses += 1;
      return Number.POSITIVE_INFINITY;
    };
    return { changed: () => false, pauseMs };
  }

  override read(position: number, limit: number): Promise<LogEntry[]> {
    this.onRead();
    return super.read(position, limit);
  }
}

/** Starts a consumer of a quiet log, with one event that is due after each of the delays. */
async function idle(dueInMs: readonly number[], options: { prefetch?: number; onRead?: () => void; handle?: () => unknown } = {}) {
  const log = new QuietLog();
  log.onRead = options.onRead ?? (() => {});
  let handled = 0;
  const handle = () => {
    handled += 1;
    return options.handle?.();
  };
  const { prefetch = 64 } = options;
  const consumer = resolveConsumer({ queue: "idle", events: ["item.*"], prefetch, handle }, catalogue, recordedLog().log, () => {});
  const store = temporaryConsumerStore();
  const now = steadyNow();
  for (const [index, delayMs] of dueInMs.entries()) {
    const event = buildEvent("item.created", { id: index + 1 });
    const waiting = {
      id: event.id,
      body: JSON.stringify(event),
      attempts: 1,
      firstFailure: null,
      replay: "no",
      traceparent: null,
    } as const;
    await store.waiting.add({ ...waiting, dueAt: now + delayMs, delayMs });
  }
  const stop = new AbortController();
  const worker = new Worker(consumer, async () => store);
  const running = new EmbeddedConsumer(worker, log, store, stop.signal, {
    share: wholeShare(),
    since: undefined,
    onReplaced() {},
    onLanes() {},
  }).run();
  await settled();
  return {
    log,
    handled: () => handled,
    async stop() {
      stop.abort();
      await running;
      await store.close();
    },
  };
}

test("the idle pause ends when a retry is due, and not before", async () => {
  const consumer = await idle([2000, 5000]);
  const seen: number[] = [];
  for (const ms of [1999, 1, 2999, 1]) {
    await advance(ms);
    seen.push(consumer.handled());
  }
  expect(seen).toEqual([0, 1, 1, 2]);
  await consumer.stop();
});

test("no timer is shorter than a millisecond, also for a retry that became due while the log was read", async () => {
  const timers = spyOn(globalThis, "setTimeout");
  const consumer = await idle([5], { onRead: () => jest.advanceTimersByTime(10) });
  const delays = timers.mock.calls.map(([, ms]) => ms ?? 0);
  timers.mockRestore();
  expect(delays.filter((ms) => ms < 1)).toEqual([]);
  await advance(1);
  expect(consumer.handled()).toBe(1);
  await consumer.stop();
});

test("a retry that is due ends the idle pause only once while the handler has no room for it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const consumer = await idle([100, 200], { prefetch: 1, handle: () => promise });
  await advance(100);
  const before = consumer.log.pauses;
  await advance(1000);
  expect([consumer.handled(), consumer.log.pauses - before]).toEqual([1, 1]);
  resolve();
  await settled();
  expect(consumer.handled()).toBe(2);
  await consumer.stop();
});
