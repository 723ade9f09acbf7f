// Events handled several at once, for what likes bulk.
import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { Reject } from "warren/consumer";
import { buildEvent, testConsumer } from "warren/testing";
import { advance, settled } from "./support/settled";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const created = (id: number) => buildEvent("item.created", { id });
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** A consumer that notes the ids of each batch, and fails on those given. */
function collecting(batch: { size?: number; waitMs?: number }, failsOn: (id: number) => unknown = () => undefined) {
  const batches: number[][] = [];
  const consumer = testConsumer<"item.*">({
    queue: "bulk",
    batch,
    handleBatch: async (events) => {
      batches.push(events.map(({ item }) => item.id));
      for (const { item } of events) {
        const error = failsOn(item.id);
        if (error) throw error;
      }
    },
  });
  return { batches, consumer };
}

describe("a batch", () => {
  test("is handed over as soon as it is full, in order, and each of its events is acknowledged", async () => {
    const { batches, consumer } = collecting({ size: 3, waitMs: 60_000 });
    const outcomes = await Promise.all(numbers(6).map((id) => consumer.deliver(created(id))));
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(outcomes).toEqual(numbers(6).map(() => ({ action: "ack", result: "handled" })));
  });

  test("that does not fill is handed over when its first event has waited long enough, and not before", async () => {
    const { batches, consumer } = collecting({ size: 100, waitMs: 200 });
    const first = consumer.deliver(created(1));
    await advance(150);
    const second = consumer.deliver(created(2));
    await advance(40);
    expect(batches).toEqual([]);
    await advance(20);
    expect(batches).toEqual([[1, 2]]);
    await Promise.all([first, second]);
  });

  test("with no wait takes what is there", async () => {
    const { batches, consumer } = collecting({ size: 100, waitMs: 0 });
    await Promise.all(numbers(5).map((id) => consumer.deliver(created(id))));
    // The first goes at once; the others came while it was handled.
    expect(batches).toEqual([[1], [2, 3, 4, 5]]);
  });

  test("waits for the one before it, so that order holds", async () => {
    const gate = Promise.withResolvers<void>();
    const begun: number[][] = [];
    const consumer = testConsumer<"item.*">({
      queue: "bulk",
      batch: { size: 2, waitMs: 0 },
      handleBatch: (events) => {
        begun.push(events.map(({ item }) => item.id));
        return begun.length === 1 ? gate.promise : undefined;
      },
    });
    const outcomes = numbers(5).map((id) => consumer.deliver(created(id)));
    await settled();
    expect(begun).toEqual([[1]]);
    gate.resolve();
    await Promise.all(outcomes);
    expect(begun).toEqual([[1], [2, 3], [4, 5]]);
  });
});

describe("a batch that fails", () => {
  test("is tried event by event: one bad event does not sink its neighbours", async () => {
    const { batches, consumer } = collecting({ size: 4 }, (id) => (id === 3 ? new Error("bad") : undefined));
    const outcomes = await Promise.all(numbers(4).map((id) => consumer.deliver(created(id))));
    expect(batches).toEqual([[1, 2, 3, 4], [1], [2], [3], [4]]);
    expect(outcomes).toMatchObject([
      { action: "ack" },
      { action: "ack" },
      { action: "retry", attempts: 1, error: new Error("bad") },
      { action: "ack" },
    ]);
  });

  test("one event after another, so that order holds", async () => {
    const story: string[] = [];
    const consumer = testConsumer<"item.*">({
      queue: "bulk",
      batch: { size: 3 },
      handleBatch: async (events) => {
        const ids = events.map(({ item }) => item.id).join();
        story.push(`begin ${ids}`);
        await new Promise(setImmediate);
        story.push(`end ${ids}`);
        if (events.length > 1) throw new Error("bad");
      },
    });
    await Promise.all(numbers(3).map((id) => consumer.deliver(created(id))));
    expect(story).toEqual(["1,2,3", "1", "2", "3"].flatMap((ids) => [`begin ${ids}`, `end ${ids}`]));
  });

  test("each event has its own outcome: rejected, retried, handled", async () => {
    const errors: Record<number, Error> = { 1: new Reject("never"), 2: new Error("not now") };
    const { consumer } = collecting({ size: 3 }, (id) => errors[id]);
    const outcomes = await Promise.all(numbers(3).map((id) => consumer.deliver(created(id))));
    expect(outcomes).toMatchObject([
      { action: "dead-letter", reason: "rejected" },
      { action: "retry", attempts: 1 },
      { action: "ack", result: "handled" },
    ]);
  });

  test("of one event is not tried twice", async () => {
    const { batches, consumer } = collecting({ size: 1 }, () => new Error("bad"));
    expect(await consumer.deliver(created(1), { attempt: 5 })).toMatchObject({ action: "dead-letter", reason: "attempts-exhausted" });
    expect(batches).toEqual([[1]]);
  });
});

test("with exactlyOnce, a batch and its rows in the inbox are one transaction; a bad event leaves nothing of its own", async () => {
  const batches: number[][] = [];
  const consumer = testConsumer<"item.*">({
    queue: "bulk",
    exactlyOnce: true,
    batch: { size: 4 },
    setup: (tx) => tx.run("CREATE TABLE sums (item INTEGER)"),
    handleBatch: async (events, { tx }) => {
      batches.push(events.map(({ item }) => item.id));
      for (const { item } of events) {
        await tx.run("INSERT INTO sums VALUES (?)", item.id);
        if (item.id === 3) throw new Error("bad");
      }
    },
  });
  const events = numbers(4).map(created);
  const outcomes = await Promise.all(events.map((event) => consumer.deliver(event)));
  expect(outcomes.map(({ action }) => action)).toEqual(["ack", "ack", "retry", "ack"]);
  expect(await consumer.rows("SELECT item FROM sums ORDER BY item")).toEqual([{ item: 1 }, { item: 2 }, { item: 4 }]);
  const again = Promise.all([...events, created(5)].map((event) => consumer.deliver(event)));
  await advance(50);
  expect((await again).map((outcome) => (outcome.action === "ack" ? outcome.result : outcome.action))).toEqual([
    "duplicate",
    "duplicate",
    "retry",
    "duplicate",
    "handled",
  ]);
  // Those that are done already are in no batch.
  expect(batches).toEqual([[1, 2, 3, 4], [1], [2], [3], [4], [3], [5]]);
});

test("garbage between the events of a batch does not hold it up", async () => {
  const { batches, consumer } = collecting({ size: 2, waitMs: 60_000 });
  const outcomes = await Promise.all([created(1), "garbage", created(2)].map((message) => consumer.deliver(message)));
  expect(outcomes.map(({ action }) => action)).toEqual(["ack", "dead-letter", "ack"]);
  expect(batches).toEqual([[1, 2]]);
});

test("a batch that takes too long fails, and each of its events has the whole time for itself", async () => {
  const tried: number[][] = [];
  const consumer = testConsumer<"item.*">({
    queue: "bulk",
    batch: { size: 2 },
    handlerTimeoutMs: 1000,
    handleBatch: (events) => {
      tried.push(events.map(({ item }) => item.id));
      return events.length === 1 ? undefined : new Promise(() => {});
    },
  });
  const outcomes = Promise.all(numbers(2).map((id) => consumer.deliver(created(id))));
  await advance(1000);
  expect((await outcomes).map(({ action }) => action)).toEqual(["ack", "ack"]);
  expect(tried).toEqual([[1, 2], [1], [2]]);
});
