// An event on which the process itself dies: an out-of-memory, a segfault, a `process.exit` in a handler.
import { describe, expect, test } from "bun:test";
import { buildEvent, testConsumer } from "warren/testing";
import { resolveConsumer } from "../src/delivery/consumer-options";
import { Worker } from "../src/delivery/worker";
import { origin } from "./support/origin";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";
import { settled } from "./support/settled";

const created = (id: number) => buildEvent("item.created", { id });

describe("an event that came back unsettled", () => {
  test("is counted before the handler runs, so that the next death finds it; and not any more when it is settled", async () => {
    const counted: unknown[] = [];
    await using consumer = testConsumer({
      queue: "poison",
      handle: async () => void counted.push(...(await consumer.rows("SELECT * FROM warren_deaths"))),
    });
    const event = created(1);
    await consumer.deliver(event, { deaths: 1 });
    expect(counted).toEqual([{ id: event.id, count: 1 }]);
    expect(await consumer.rows("SELECT * FROM warren_deaths")).toEqual([]);
  });

  test("is dead-lettered as process-died after the third death by default; the handler does not see it again", async () => {
    const seen: number[] = [];
    await using consumer = testConsumer<"item.*">({ queue: "poison", handle: ({ item }) => void seen.push(item.id) });
    expect(await consumer.deliver(created(1), { deaths: 1 })).toMatchObject({ action: "ack" });
    expect(await consumer.deliver(created(2), { deaths: 2 })).toMatchObject({ action: "ack" });
    expect(await consumer.deliver(created(3), { deaths: 3, attempt: 2 })).toEqual({
      action: "dead-letter",
      reason: "process-died",
      attempts: 4,
      error: "The process died 3 times while it handled this event",
    });
    expect(seen).toEqual([1, 2]);
    expect(await consumer.rows("SELECT * FROM warren_deaths")).toEqual([]);
  });

  test("is dead-lettered after as many deaths as the consumer says", async () => {
    await using once = testConsumer({ queue: "poison", maxDeaths: 1, handle() {} });
    expect(await once.deliver(created(1), { deaths: 1 })).toMatchObject({ reason: "process-died" });
    await using often = testConsumer({ queue: "poison", maxDeaths: 10, handle() {} });
    expect(await often.deliver(created(1), { deaths: 9 })).toMatchObject({ action: "ack" });
    expect(await often.deliver(created(1), { deaths: 10 })).toMatchObject({ reason: "process-died" });
  });

  test("with exactlyOnce leaves no effect when it is given up", async () => {
    await using consumer = testConsumer({
      queue: "poison",
      exactlyOnce: true,
      setup: (tx) => tx.run("CREATE TABLE effects (id TEXT)"),
      handle: ({ id }, { tx }) => tx.run("INSERT INTO effects VALUES (?)", id),
    });
    expect(await consumer.deliver(created(1), { deaths: 3 })).toMatchObject({ reason: "process-died" });
    expect(await consumer.rows("SELECT id FROM effects UNION ALL SELECT id FROM warren_inbox")).toEqual([]);
  });

  test("is tried again like any other when the handler merely fails: that was no death", async () => {
    await using consumer = testConsumer({ queue: "poison", handle: () => Promise.reject(new Error("no")) });
    const event = created(1);
    expect(await consumer.deliver(event, { deaths: 2 })).toMatchObject({ action: "retry", attempts: 1 });
    expect(await consumer.rows("SELECT * FROM warren_deaths")).toEqual([]);
  });

  test("and cannot be read is garbage, and not poison", async () => {
    await using consumer = testConsumer({ queue: "poison", handle() {} });
    expect(await consumer.deliver("{", { deaths: 3 })).toMatchObject({ action: "dead-letter", reason: "not-json" });
  });
});

describe("is handled alone, so that it drags no other with it:", () => {
  /** A consumer whose events the test ends, and its begins and ends in order. */
  function gated(concurrency: number) {
    const story: string[] = [];
    const gates = new Map<number, () => void>();
    const consumer = testConsumer<"item.*">({
      queue: "poison",
      concurrency,
      handle: ({ item }) => {
        story.push(`begin ${item.id}`);
        return new Promise<void>((resolve) =>
          gates.set(item.id, () => {
            story.push(`end ${item.id}`);
            resolve();
          }),
        );
      },
    });
    const end = async (id: number) => {
      gates.get(id)?.();
      await settled();
    };
    return { story, consumer, end };
  }

  test("it waits for those before it, and those behind it wait for it", async () => {
    const { story, consumer, end } = gated(8);
    const outcomes = [
      consumer.deliver(created(1)),
      consumer.deliver(created(2)),
      consumer.deliver(created(3), { deaths: 1 }),
      consumer.deliver(created(4)),
      consumer.deliver(created(5)),
    ];
    await settled();
    expect(story).toEqual(["begin 1", "begin 2"]);
    await end(2);
    await end(1);
    expect(story).toEqual(["begin 1", "begin 2", "end 2", "end 1", "begin 3"]);
    await end(3);
    expect(story.slice(5)).toEqual(["end 3", "begin 4", "begin 5"]);
    await end(4);
    await end(5);
    await Promise.all(outcomes);
  });

  test("several of them one after another", async () => {
    const { story, consumer, end } = gated(8);
    const outcomes = [1, 2].map((id) => consumer.deliver(created(id), { deaths: 1 }));
    await settled();
    expect(story).toEqual(["begin 1"]);
    await end(1);
    expect(story).toEqual(["begin 1", "end 1", "begin 2"]);
    await end(2);
    await Promise.all(outcomes);
  });

  test("in batches and with exactlyOnce too", async () => {
    const groups: number[][] = [];
    await using batches = testConsumer<"item.*">({
      queue: "poison",
      batch: { size: 10, waitMs: 0 },
      handleBatch: (events) => void groups.push(events.map(({ item }) => item.id)),
    });
    const suspect = new Set([4]);
    await Promise.all([1, 2, 3, 4, 5, 6].map((id) => batches.deliver(created(id), { deaths: suspect.has(id) ? 1 : 0 })));
    expect(groups).toEqual([[1], [2, 3], [4], [5, 6]]);
    // The handler of exactlyOnce sees one event at a time anyway. What it shares is the commit, before which the ids of all are claimed.
    const committed: number[] = [];
    await using once = testConsumer<"item.*">({
      queue: "poison",
      exactlyOnce: true,
      handle: async ({ item }, { tx }) => {
        committed.push((await tx.all("SELECT id FROM warren_inbox")).length);
        if (item.id === 3) expect(await tx.all("SELECT * FROM warren_deaths")).toHaveLength(1);
      },
    });
    const outcomes = [1, 2, 3, 4].map((id) => once.deliver(created(id), { deaths: id === 3 ? 1 : 0 }));
    expect((await Promise.all(outcomes)).map(({ action }) => action)).toEqual(["ack", "ack", "ack", "ack"]);
    expect(committed).toEqual([2, 2, 3, 4]);
  });
});

test("what never came back costs the consumer no file", async () => {
  const { log } = recordedLog();
  const consumer = resolveConsumer({ queue: "poison", handle() {} }, catalogue, log, () => {});
  const worker = new Worker(consumer, () => {
    throw new Error("The file was opened");
  });
  const settle = Promise.withResolvers<unknown>();
  const body = JSON.stringify(created(1));
  worker.take({ body, failures: 0, suspect: false, replay: "no", origin, gone: false, settle: settle.resolve });
  expect(await settle.promise).toEqual({ action: "ack", result: "handled" });
});
