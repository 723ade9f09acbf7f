// Which queues may refuse events, as the relay must know before it sends the first one.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import type { Inspection, QueueInspector } from "../src/rabbitmq/queue-inspection";
import { lookEveryMs, QueueWatch } from "../src/rabbitmq/queue-watch";
import { soleLeadership } from "../src/store/leadership";
import { recordedLog } from "./support/recorded-log";
import { advance, settled } from "./support/settled";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A watch of the queues "a" and "b", whose limits the test sets. A queue without an entry does not exist. */
function watchOf(limits: Record<string, string | undefined>) {
  const names = ["a", "b"];
  let answers = Promise.resolve();
  const inspect = async (queue: string): Promise<Inspection | undefined> => {
    await answers;
    return queue in limits ? { dangers: [], isQuorum: false, deliveryLimit: 20, limit: limits[queue] } : undefined;
  };
  const watch = new QueueWatch({ inspect } as unknown as QueueInspector, async () => names, recordedLog().log);
  const closing = new AbortController();
  let started = false;
  void watch.start(soleLeadership(closing.signal)).then(() => {
    started = true;
  });
  return {
    ...{ watch, names, close: () => closing.abort() },
    hasStarted: () => started,
    /** Keeps the inspections from ending until `resolve` is called. */
    hang: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      answers = promise;
      return resolve;
    },
  };
}

test("a limit is known at the start, after it was set or lifted, and until its queue is removed", async () => {
  const limits: Record<string, string | undefined> = { a: undefined, b: "x-max-length 5" };
  const { watch, names, hasStarted, close } = watchOf(limits);
  await settled();
  expect([hasStarted(), watch.hasLimit]).toEqual([true, true]);
  limits["b"] = undefined;
  await advance(lookEveryMs);
  expect(watch.hasLimit).toBe(false);
  limits["b"] = "x-max-length 5";
  await advance(lookEveryMs);
  expect(watch.hasLimit).toBe(true);
  names.pop();
  await advance(lookEveryMs);
  expect(watch.hasLimit).toBe(false);
  close();
});

test("a limit of a queue that is announced is known at once", async () => {
  const limits: Record<string, string | undefined> = { a: undefined };
  const { watch, close } = watchOf(limits);
  await settled();
  limits["b"] = "x-max-length 5";
  await watch.lookAt("b");
  expect(watch.hasLimit).toBe(true);
  // A queue that did not exist is looked at less often, but is not forgotten.
  await advance(lookEveryMs);
  expect(watch.hasLimit).toBe(true);
  close();
});

test("a limit of a queue that another process has announced is known before this one leads again", async () => {
  const limits: Record<string, string | undefined> = { a: undefined };
  const { watch, close } = watchOf(limits);
  await settled();
  close();
  limits["b"] = "x-max-length 5";
  const next = new AbortController();
  await watch.start({ until: next.signal, epoch: 3 });
  expect(watch.hasLimit).toBe(true);
  next.abort();
});

test("the limit of a dead-letter queue does not count, since it gets no events", async () => {
  const { watch, close } = watchOf({ a: undefined, b: undefined, "a.dead": "x-max-length 5" });
  await settled();
  expect(watch.hasLimit).toBe(false);
  close();
});

test("inspections that hang delay the start by five seconds at most, and not that on the next connection", async () => {
  const { watch, hang, hasStarted, close } = watchOf({ a: undefined });
  const answer = hang();
  await advance(4_999);
  expect(hasStarted()).toBe(false);
  await advance(1);
  expect(hasStarted()).toBe(true);
  answer();
  await settled();
  hang();
  const next = new AbortController();
  // The clock stands still.
  await watch.start(soleLeadership(next.signal));
  next.abort();
  close();
});
