// A handler that takes too long.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { buildEvent, testConsumer } from "warren/testing";
import { HandlerTimeout } from "../src/delivery/handle";
import { advance, settled } from "./support/settled";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const event = buildEvent("item.created");

test("counts as a failure when its time is over, and not before", async () => {
  await using consumer = testConsumer({ queue: "slow", handlerTimeoutMs: 500, handle: () => new Promise(() => {}) });
  let outcome: unknown;
  void consumer.deliver(event).then((decided) => {
    outcome = decided;
  });
  await advance(499);
  expect(outcome).toBeUndefined();
  await advance(1);
  expect(outcome).toMatchObject({ action: "retry", attempts: 1, error: new HandlerTimeout(500) });
  expect(new HandlerTimeout(500).message).toBe("The handler took longer than 500 ms");
});

test("has 30 seconds by default", async () => {
  await using consumer = testConsumer({ queue: "slow", handle: () => new Promise(() => {}) });
  const outcome = consumer.deliver(event);
  await advance(29_999);
  expect(consumer.counts.retried).toBe(0);
  await advance(1);
  expect(await outcome).toMatchObject({ action: "retry" });
});

test("hears of it from its signal, with the reason; one that is in time does not", async () => {
  const signals: AbortSignal[] = [];
  await using consumer = testConsumer<"item.*">({
    queue: "slow",
    handlerTimeoutMs: 500,
    handle: ({ item }, { signal }) => {
      signals.push(signal);
      return item.id === 1 ? undefined : new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
    },
  });
  expect(await consumer.deliver(event)).toMatchObject({ action: "ack" });
  const outcome = consumer.deliver(buildEvent("item.created", { id: 2 }));
  await advance(500);
  // The time-out decides, and not what the handler says afterwards.
  expect(await outcome).toMatchObject({ action: "retry", error: { name: "HandlerTimeout" } });
  expect(signals.map(({ aborted, reason }) => [aborted, reason as unknown])).toEqual([
    [false, undefined],
    [true, new HandlerTimeout(500)],
  ]);
});

test("hears of it even when it asks for the signal only then", async () => {
  const late = Promise.withResolvers<void>();
  const aborted: boolean[] = [];
  await using consumer = testConsumer({
    queue: "slow",
    handlerTimeoutMs: 500,
    handle: async (_, context) => {
      await late.promise;
      aborted.push(context.signal.aborted);
    },
  });
  const outcome = consumer.deliver(event);
  await advance(500);
  await outcome;
  late.resolve();
  await settled();
  expect(aborted).toEqual([true]);
});

test("one that ends later than that changes nothing any more: an event is settled once", async () => {
  for (const end of ["resolve", "reject"] as const) {
    const work = Promise.withResolvers<void>();
    await using consumer = testConsumer({ queue: "slow", handlerTimeoutMs: 500, retry: { attempts: 1 }, handle: () => work.promise });
    const outcome = consumer.deliver(event);
    await advance(500);
    expect(await outcome).toMatchObject({ action: "dead-letter", reason: "attempts-exhausted" });
    work[end](new Error("late") as never);
    await settled();
    expect(consumer.counts).toEqual({ handled: 0, duplicates: 0, skipped: 0, retried: 0, deadLettered: 1 });
  }
});

test("makes room for the next event", async () => {
  const begun: number[] = [];
  await using consumer = testConsumer<"item.*">({
    queue: "slow",
    handlerTimeoutMs: 500,
    handle: ({ item }) => {
      begun.push(item.id);
      return item.id === 1 ? new Promise(() => {}) : undefined;
    },
  });
  const outcomes = Promise.all([1, 2].map((id) => consumer.deliver(buildEvent("item.created", { id }))));
  await advance(499);
  expect(begun).toEqual([1]);
  await advance(1);
  expect((await outcomes).map(({ action }) => action)).toEqual(["retry", "ack"]);
});
