// A handler that gets a transaction: its effect and the note that the event is done are there together, once, or not at all.
import { describe, expect, test } from "bun:test";
import { type ConsumerOptions, Reject } from "warren/consumer";
import { buildEvent, type TestConsumer, testConsumer } from "warren/testing";
import { resolveConsumer } from "../src/delivery/consumer-options";
import type { Task } from "../src/delivery/delivery";
import { handleExactlyOnce } from "../src/delivery/exactly-once";
import type { Event } from "../src/schema/event";
import type { Transaction } from "../src/store/consumer/transaction";
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
    handle: async ({ item }, { tx }) => {
      await tx.run("INSERT INTO ledger VALUES (?, ?)", item.id, item.price);
      if (failsOn.has(item.id)) throw failsOn.get(item.id);
    },
  });
}

const effects = async (consumer: TestConsumer) =>
  (await consumer.rows<{ item: number }>("SELECT item FROM ledger ORDER BY rowid")).map(({ item }) => item);
const inbox = async (consumer: TestConsumer) =>
  (await consumer.rows<{ id: string }>("SELECT id FROM warren_inbox ORDER BY id")).map(({ id }) => id);
const handled = { action: "ack", result: "handled" } as const;
const duplicate = { action: "ack", result: "duplicate" } as const;

describe("effect and inbox", () => {
  test("are there together after the event was handled", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    expect(await consumer.deliver(event)).toEqual(handled);
    expect([await effects(consumer), await inbox(consumer)]).toEqual([[3], [event.id]]);
  });

  test("are both not there after the handler failed; and are after it worked", async () => {
    const failsOn = new Map<number, unknown>([[3, new Error("no")]]);
    await using consumer = ledger(failsOn);
    const event = buildEvent("item.created", { id: 3 });
    expect(await consumer.deliver(event)).toMatchObject({ action: "retry", attempts: 1 });
    expect([await effects(consumer), await inbox(consumer)]).toEqual([[], []]);
    failsOn.clear();
    expect(await consumer.deliver(event, { attempt: 2 })).toEqual(handled);
    expect([await effects(consumer), await inbox(consumer)]).toEqual([[3], [event.id]]);
  });

  test("are both not there for what was rejected", async () => {
    await using consumer = ledger(new Map([[3, new Reject("never")]]));
    expect(await consumer.deliver(buildEvent("item.created", { id: 3 }))).toMatchObject({ action: "dead-letter", reason: "rejected" });
    expect([await effects(consumer), await inbox(consumer)]).toEqual([[], []]);
  });

  test("of events that share a commit are each event's own: one that fails takes no other with it", async () => {
    await using consumer = ledger(new Map([[2, new Error("no")]]));
    const events = [1, 2, 3].map((id) => buildEvent("item.created", { id }));
    const outcomes = await Promise.all(events.map((event) => consumer.deliver(event)));
    expect(outcomes.map(({ action }) => action)).toEqual(["ack", "retry", "ack"]);
    expect(await effects(consumer)).toEqual([1, 3]);
    expect(await inbox(consumer)).toEqual([events[0]?.id, events[2]?.id].sort() as string[]);
  });
});

describe("an event that comes again", () => {
  test("is acknowledged, and has no second effect", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    await consumer.deliver(event);
    for (const attempt of [1, 2]) expect(await consumer.deliver(event, { attempt })).toEqual(duplicate);
    expect(await effects(consumer)).toEqual([3]);
    expect(consumer.counts).toMatchObject({ handled: 1, duplicates: 2 });
  });

  test("has no second effect in the same commit either", async () => {
    await using consumer = ledger();
    const [first, event] = [buildEvent("item.created", { id: 1 }), buildEvent("item.created", { id: 3 })];
    // What comes while the first is handled shares the next commit.
    const outcomes = await Promise.all([first, event, event, event].map((each) => consumer.deliver(each)));
    expect(outcomes).toEqual([handled, handled, duplicate, duplicate]);
    expect(await effects(consumer)).toEqual([1, 3]);
  });

  test("by a replay is absorbed; by a forced one it is handled again", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    await consumer.deliver(event);
    expect(await consumer.deliver(event, { replay: "yes" })).toEqual(duplicate);
    expect(await effects(consumer)).toEqual([3]);
    expect(await consumer.deliver(event, { replay: "forced" })).toEqual(handled);
    expect([await effects(consumer), await inbox(consumer)]).toEqual([[3, 3], [event.id]]);
    expect(await consumer.deliver(event)).toEqual(duplicate);
  });

  test("after a death is absorbed too", async () => {
    await using consumer = ledger();
    const event = buildEvent("item.created", { id: 3 });
    await consumer.deliver(event);
    expect(await consumer.deliver(event, { deaths: 1 })).toEqual(duplicate);
    expect(await effects(consumer)).toEqual([3]);
  });
});

describe("the handler", () => {
  test.each<[string, (tx: Transaction, id: number) => unknown, string]>([
    [
      "a call that it does not wait for",
      (tx, id) => void tx.run("INSERT INTO ledger VALUES (?)", id),
      'tx.run("INSERT INTO ledger VALUES (?)")',
    ],
    [
      "one of several",
      async (tx, id) => {
        await tx.run("INSERT INTO ledger VALUES (?)", id);
        void tx.get("SELECT item\n  FROM ledger WHERE item = 3 AND item <> 4 AND item <> 5");
      },
      'tx.get("SELECT item FROM ledger WHERE item = 3 AND item <…")',
    ],
  ])("must await its transaction: %s is a failure, and its effect is undone", async (_, handle, call) => {
    const { log, lines } = recordedLog();
    await using consumer = testConsumer<"item.*">(
      {
        queue: "ledger",
        exactlyOnce: true,
        setup: (tx) => tx.run("CREATE TABLE ledger (item INTEGER)"),
        handle: ({ item }, { tx }) => handle(tx, item.id),
      },
      { log },
    );
    expect(await consumer.deliver(buildEvent("item.created"))).toMatchObject({ action: "retry", attempts: 1 });
    expect(lines.at(-1)?.["error"]).toBe(
      `ForgottenAwait: The handler returned before ${call} was done. Nothing was changed. Put "await" before each call.`,
    );
    expect([await effects(consumer), await inbox(consumer)]).toEqual([[], []]);
  });

  test("must not use its transaction later, which would be another event's", async () => {
    const gate = Promise.withResolvers<void>();
    const late: Promise<unknown>[] = [];
    await using consumer = testConsumer<"item.*">({
      queue: "ledger",
      exactlyOnce: true,
      handlerTimeoutMs: 10,
      setup: (tx) => tx.run("CREATE TABLE ledger (item INTEGER)"),
      handle: ({ item }, { tx }) => {
        const later = gate.promise.then(() => tx.run("INSERT INTO ledger VALUES (?)", item.id));
        late.push(later.catch((error: Error) => error.message));
        return item.id === 2 ? later : undefined;
      },
    });
    expect(await consumer.deliver(buildEvent("item.created", { id: 1 }))).toEqual(handled);
    expect(await consumer.deliver(buildEvent("item.created", { id: 2 }))).toMatchObject({ action: "retry" });
    gate.resolve();
    expect(await Promise.all(late)).toEqual([
      "The transaction has ended; use tx before the handler returns.",
      "The handler took longer than 10 ms",
    ]);
    expect(await effects(consumer)).toEqual([]);
  });

  test("that hangs holds up what else is written only until its timeout, which undoes what it wrote", async () => {
    await using consumer = testConsumer<"item.*">({
      queue: "ledger",
      exactlyOnce: true,
      handlerTimeoutMs: 20,
      setup: (tx) => tx.run("CREATE TABLE ledger (item INTEGER)"),
      handle: async ({ item }, { tx }) => {
        await tx.run("INSERT INTO ledger VALUES (?)", item.id);
        if (item.id === 2) await new Promise(() => {});
      },
    });
    const outcomes = [1, 2, 3].map((id) => consumer.deliver(buildEvent("item.created", { id })));
    // Reads and writes of the consumer's own wait for the transaction.
    const during = Promise.all(outcomes.slice(0, 1)).then(() => effects(consumer));
    expect((await Promise.all(outcomes)).map(({ action }) => action)).toEqual(["ack", "retry", "ack"]);
    expect([await during, await effects(consumer)]).toEqual([
      [1, 3],
      [1, 3],
    ]);
  });

  test("reads what it and others have written", async () => {
    const seen: unknown[] = [];
    await using consumer = testConsumer<"item.*">({
      queue: "ledger",
      exactlyOnce: true,
      setup: (tx) => tx.run("CREATE TABLE ledger (item INTEGER PRIMARY KEY, count INTEGER)"),
      handle: async ({ item }, { tx, attempt, replay, queue }) => {
        seen.push([queue, attempt, replay, await tx.get("SELECT count FROM ledger WHERE item = ?", item.id)]);
        const changed = await tx.run("INSERT INTO ledger VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", item.id);
        seen.push([changed, await tx.all("SELECT * FROM ledger")]);
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
  test("that cannot be made are an error at the start, and none of them is left", async () => {
    await using consumer = testConsumer({
      queue: "ledger",
      exactlyOnce: true,
      async setup(tx) {
        await tx.run("CREATE TABLE one (a INTEGER)");
        await tx.run("CREATE TABEL two (a INTEGER)");
      },
      handle() {},
    });
    await expect(consumer.deliver(buildEvent("item.created"))).rejects.toThrow("syntax error");
    const file = openConsumerFile(":memory:", { durable: false });
    const half = file.together(async ({ transaction }) => {
      await transaction.run("CREATE TABLE one (a INTEGER)");
      await transaction.run("CREATE TABEL two (a INTEGER)");
    });
    await expect(half).rejects.toThrow("syntax error");
    expect(await file.transaction.all("SELECT name FROM sqlite_schema WHERE name = 'one'")).toEqual([]);
  });

  test("must be awaited, too", async () => {
    const setup = (tx: Transaction) => void tx.run("CREATE TABLE one (a INTEGER)");
    await using consumer = testConsumer({ queue: "ledger", exactlyOnce: true, setup, handle() {} });
    await expect(consumer.deliver(buildEvent("item.created"))).rejects.toThrow(
      'The setup returned before tx.run("CREATE TABLE one (a INTEGER)") was done. Nothing was changed.',
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
  await file.transaction.run("PRAGMA foreign_keys = ON");
  const options: ConsumerOptions<"item.*"> = {
    queue: "ledger",
    exactlyOnce: true,
    async setup(tx) {
      await tx.run("CREATE TABLE customers (id INTEGER PRIMARY KEY)");
      // Checked at the commit, and not before.
      await tx.run("CREATE TABLE ledger (customer INTEGER REFERENCES customers DEFERRABLE INITIALLY DEFERRED)");
    },
    handle: ({ item }, { tx }) => tx.run("INSERT INTO ledger VALUES (?)", item.price),
  };
  const consumer = resolveConsumer(options, catalogue, recordedLog().log, () => {});
  await file.together(async ({ transaction }) => consumer.setup(transaction));
  const task = (event: Event): Task => ({
    event,
    key: event.id,
    delivery: { body: "", failures: 0, suspect: false, replay: "no", origin, gone: false, settle() {} },
  });
  const [good, bad] = [task(buildEvent("item.created", { price: null })), task(buildEvent("item.created", { price: 7 }))];
  const around = { consumer, store: async () => file, beforeCommit: async () => () => {}, mayGoOn: () => true, isStopping: () => false };
  const handle = (...tasks: Task[]) => handleExactlyOnce(around, tasks);
  const failed = await handle(good, bad);
  expect(failed).toMatchObject([
    { kind: "failed", error: { message: "FOREIGN KEY constraint failed" } },
    { kind: "failed", error: { message: "FOREIGN KEY constraint failed" } },
  ]);
  expect(await file.transaction.all("SELECT customer FROM ledger UNION ALL SELECT id FROM warren_inbox")).toEqual([]);
  expect(await handle(good)).toEqual([{ kind: "handled" }]);
  expect(await file.transaction.all("SELECT customer FROM ledger")).toEqual([{ customer: null }]);
});

describe("the inbox", () => {
  test("forgets what is older than asked, and nothing else", async () => {
    const { inbox } = openConsumerFile(":memory:", { durable: false });
    await inbox.claim(["old"], 1000);
    await inbox.claim(["new"], 2000);
    expect(await inbox.expire(2000)).toBe(1);
    expect([await inbox.has("old"), await inbox.has("new")]).toEqual([false, true]);
  });

  test("claims only what is not there, once", async () => {
    const { inbox } = openConsumerFile(":memory:", { durable: false });
    await inbox.claim(["one"], 1000);
    expect(await inbox.claim(["one", "two", "two"], 3000)).toEqual(new Set(["two"]));
    await inbox.release(["two"]);
    expect([await inbox.has("one"), await inbox.has("two"), await inbox.expire(3000)]).toEqual([true, false, 1]);
  });

  test("remembers from the last forced replay on", async () => {
    const { inbox } = openConsumerFile(":memory:", { durable: false });
    await inbox.claim(["again"], 1000);
    await inbox.add(["again"], 3000);
    expect(await inbox.expire(2000)).toBe(0);
    expect(await inbox.has("again")).toBe(true);
  });
});
