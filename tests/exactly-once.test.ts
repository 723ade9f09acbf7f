// A handler that gets a transaction: its effect and the note that the event is done are there together, once, or not at all.
import { describe, expect, test } from "bun:test";
import { type ConsumerOptions, Reject } from "warren/consumer";
import { buildEvent, type TestConsumer, testConsumer } from "warren/testing";
import { resolveConsumer } from "../src/delivery/consumer-options";
import type { Task } from "../src/delivery/delivery";
import { handleExactlyOnce } from "../src/delivery/handle";
import type { Event } from "../src/schema/event";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { origin } from "./support/origin";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";

/** Adds each price to a ledger, after which it fails on the items given. */
function ledger(failsOn: ReadonlyMap<number, unknown> = new Map()): TestConsumer {
  return testConsumer({
    queue: "ledger",
    events: ["item.*"],
    exactlyOnce: true,
    setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS ledger (item INTEGER, price REAL)"),
    handle: ({ item }, { tx }) => {
      tx.run("INSERT INTO ledger VALUES (?, ?)", item.id, item.price);
      if (failsOn.has(item.id)) throw failsOn.get(item.id);
    },
  });
}

const effects = (consumer: TestConsumer) =>
  consumer.rows<{ item: number }>("SELECT item FROM ledger ORDER BY rowid").map(({ item }) => item);
const inbox = (consumer: TestConsumer) => consumer.rows<{ id: string }>("SELECT id FROM warren_inbox ORDER BY id").map(({ id }) => id);
const handled = { action: "ack", result: "handled" } as const;
const duplicate = { action: "ack", result: "duplicate" } as const;

describe("effect and inbox", () => {
  test("are there together after the event was handled", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    expect(await consumer.deliver(event)).toEqual(handled);
    expect([effects(consumer), inbox(consumer)]).toEqual([[3], [event.id]]);
  });

  test("are both not there after the handler failed; and are after it worked", async () => {
    const failsOn = new Map<number, unknown>([[3, new Error("no")]]);
    await using consumer = ledger(failsOn);
    const event = buildEvent("item.created", { id: 3 });
    expect(await consumer.deliver(event)).toMatchObject({ action: "retry", attempts: 1 });
    expect([effects(consumer), inbox(consumer)]).toEqual([[], []]);
    failsOn.clear();
    expect(await consumer.deliver(event, { attempt: 2 })).toEqual(handled);
    expect([effects(consumer), inbox(consumer)]).toEqual([[3], [event.id]]);
  });

  test("are both not there for what was rejected", async () => {
    await using consumer = ledger(new Map([[3, new Reject("never")]]));
    expect(await consumer.deliver(buildEvent("item.created", { id: 3 }))).toMatchObject({ action: "dead-letter", reason: "rejected" });
    expect([effects(consumer), inbox(consumer)]).toEqual([[], []]);
  });

  test("of events that share a commit are each event's own: one that fails takes no other with it", async () => {
    await using consumer = ledger(new Map([[2, new Error("no")]]));
    const events = [1, 2, 3].map((id) => buildEvent("item.created", { id }));
    const outcomes = await Promise.all(events.map((event) => consumer.deliver(event)));
    expect(outcomes.map(({ action }) => action)).toEqual(["ack", "retry", "ack"]);
    expect(effects(consumer)).toEqual([1, 3]);
    expect(inbox(consumer)).toEqual([events[0]?.id, events[2]?.id].sort() as string[]);
  });
});

describe("an event that comes again", () => {
  test("is acknowledged, and has no second effect", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    await consumer.deliver(event);
    for (const attempt of [1, 2]) expect(await consumer.deliver(event, { attempt })).toEqual(duplicate);
    expect(effects(consumer)).toEqual([3]);
    expect(consumer.counts).toMatchObject({ handled: 1, duplicates: 2 });
  });

  test("has no second effect in the same commit either", async () => {
    await using consumer = ledger();
    const [first, event] = [buildEvent("item.created", { id: 1 }), buildEvent("item.created", { id: 3 })];
    // What comes while the first is handled shares the next commit.
    const outcomes = await Promise.all([first, event, event, event].map((each) => consumer.deliver(each)));
    expect(outcomes).toEqual([handled, handled, duplicate, duplicate]);
    expect(effects(consumer)).toEqual([1, 3]);
  });

  test("by a replay is absorbed; by a forced one it is handled again", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    await consumer.deliver(event);
    expect(await consumer.deliver(event, { replay: "yes" })).toEqual(duplicate);
    expect(effects(consumer)).toEqual([3]);
    expect(await consumer.deliver(event, { replay: "forced" })).toEqual(handled);
    expect([effects(consumer), inbox(consumer)]).toEqual([[3, 3], [event.id]]);
    expect(await consumer.deliver(event)).toEqual(duplicate);
  });

  test("after a death is absorbed too", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    await consumer.deliver(event);
    expect(await consumer.deliver(event, { deaths: 1 })).toEqual(duplicate);
    expect(effects(consumer)).toEqual([3]);
  });
});

describe("the handler", () => {
  test("must not be async: refused at the start", () => {
    const options = { queue: "ledger", exactlyOnce: true, handle: async () => {} } as unknown as ConsumerOptions;
    expect(() => testConsumer(options)).toThrow("With exactlyOnce the handler must not be async: its transaction ends when it returns.");
  });

  test("must not answer a promise either: that is a failure, and its effect is undone", async () => {
    await using consumer = testConsumer<"item.*">({
      queue: "ledger",
      exactlyOnce: true,
      setup: (tx) => tx.run("CREATE TABLE ledger (item INTEGER)"),
      handle: ({ item }, { tx }) => {
        tx.run("INSERT INTO ledger VALUES (?)", item.id);
        return Promise.reject(new Error("later")) as unknown as undefined;
      },
    });
    const outcome = await consumer.deliver(buildEvent("item.created"));
    expect(outcome).toMatchObject({ action: "retry", attempts: 1, error: expect.any(TypeError) as TypeError });
    expect([effects(consumer), inbox(consumer)]).toEqual([[], []]);
  });

  test("reads what it and others have written", async () => {
    const seen: unknown[] = [];
    await using consumer = testConsumer<"item.*">({
      queue: "ledger",
      exactlyOnce: true,
      setup: (tx) => tx.run("CREATE TABLE ledger (item INTEGER PRIMARY KEY, count INTEGER)"),
      handle: ({ item }, { tx, attempt, replay, queue }) => {
        seen.push([queue, attempt, replay, tx.get("SELECT count FROM ledger WHERE item = ?", item.id)]);
        const changed = tx.run("INSERT INTO ledger VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", item.id);
        seen.push([changed, tx.all("SELECT * FROM ledger")]);
      },
    });
    await consumer.deliver(buildEvent("item.created", { id: 3 }));
    await consumer.deliver(buildEvent("item.updated", { id: 3 }), { attempt: 2, replay: "yes" });
    expect(seen).toEqual([
      ["ledger", 1, false, undefined],
      [1, [{ item: 3, count: 1 }]],
      ["ledger", 2, true, { count: 1 }],
      [1, [{ item: 3, count: 2 }]],
    ]);
  });

  test("has a transaction only with exactlyOnce", async () => {
    await using consumer = testConsumer({ queue: "ledger", handle: (_, context) => (context as unknown as { tx: unknown }).tx });
    expect(await consumer.deliver(buildEvent("item.created"))).toMatchObject({
      error: new TypeError("Only a consumer with exactlyOnce has a transaction."),
    });
  });
});

describe("the consumer's own tables", () => {
  test("that cannot be made are an error at the start, and none of them is left", () => {
    const file = openConsumerFile(":memory:", { durable: false });
    const setup = () =>
      file.together(() => {
        file.transaction.run("CREATE TABLE one (a INTEGER)");
        file.transaction.run("CREATE TABEL two (a INTEGER)");
      });
    expect(setup).toThrow("syntax error");
    expect(file.transaction.all("SELECT name FROM sqlite_schema WHERE name = 'one'")).toEqual([]);
    expect(() => testConsumer({ queue: "ledger", exactlyOnce: true, setup: (tx) => tx.run("CREATE TABEL t"), handle() {} })).toThrow(
      "syntax error",
    );
  });

  test("need a queue with a name, and one event after another", () => {
    expect(() => testConsumer({ exactlyOnce: true, handle() {} })).toThrow("exactlyOnce requires a `queue`");
    expect(() => testConsumer({ queue: "ledger", exactlyOnce: true, concurrency: 2, handle() {} })).toThrow(
      "transactions on one file run one after another",
    );
  });
});

test("a commit that fails makes every event that shares it a failure, leaves nothing, and the next one works", async () => {
  const file = openConsumerFile(":memory:", { durable: false });
  file.transaction.run("PRAGMA foreign_keys = ON");
  const options: ConsumerOptions<"item.*"> = {
    queue: "ledger",
    exactlyOnce: true,
    setup(tx) {
      tx.run("CREATE TABLE customers (id INTEGER PRIMARY KEY)");
      // Checked at the commit, and not before.
      tx.run("CREATE TABLE ledger (customer INTEGER REFERENCES customers DEFERRABLE INITIALLY DEFERRED)");
    },
    handle: ({ item }, { tx }) => void tx.run("INSERT INTO ledger VALUES (?)", item.price),
  };
  const consumer = resolveConsumer(options, catalogue, recordedLog().log, () => {});
  file.together(() => consumer.setup(file.transaction));
  const task = (event: Event): Task => ({
    event,
    key: event.id,
    delivery: { body: "", failures: 0, suspect: false, replay: "no", origin, gone: false, settle() {} },
  });
  const [good, bad] = [task(buildEvent("item.created", { price: null })), task(buildEvent("item.created", { price: 7 }))];
  const failed = await handleExactlyOnce(consumer, file, [good, bad], 0);
  expect(failed).toMatchObject([
    { kind: "failed", error: { message: "FOREIGN KEY constraint failed" } },
    { kind: "failed", error: { message: "FOREIGN KEY constraint failed" } },
  ]);
  expect(file.transaction.all("SELECT customer FROM ledger UNION ALL SELECT id FROM warren_inbox")).toEqual([]);
  expect(await handleExactlyOnce(consumer, file, [good], 0)).toEqual([{ kind: "handled" }]);
  expect(file.transaction.all("SELECT customer FROM ledger")).toEqual([{ customer: null }]);
});

describe("the inbox", () => {
  test("forgets what is older than asked, and nothing else", () => {
    const file = openConsumerFile(":memory:", { durable: false });
    file.inbox.add("old", 1000);
    file.inbox.add("new", 2000);
    expect(file.inbox.expire(2000)).toBe(1);
    expect([file.inbox.has("old"), file.inbox.has("new")]).toEqual([false, true]);
  });

  test("remembers from the last time on", () => {
    const file = openConsumerFile(":memory:", { durable: false });
    file.inbox.add("again", 1000);
    file.inbox.add("again", 3000);
    expect(file.inbox.expire(2000)).toBe(0);
    expect(file.inbox.has("again")).toBe(true);
  });
});
