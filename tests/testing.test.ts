// `src/consumer/test-consumer.ts`: the test kit for a user's own handlers.
import { describe, expect, test } from "bun:test";
import { Reject, RetryAfter } from "warren/consumer";
import { buildEvent, buildEventOf, testConsumer } from "warren/testing";
import { parseEvent } from "../src/schema/event";
import { changes } from "../src/schema/resource";
import { recordedLog } from "./support/recorded-log";
import { catalogue, order } from "./support/resources";

describe("buildEvent", () => {
  test("fills in a valid record from the example, with a new id and the time", () => {
    const before = new Date().toISOString();
    const event = buildEvent("item.created");
    expect(Object.keys(event)).toEqual(["id", "type", "version", "item", "timestamp"]);
    expect(event).toMatchObject({ type: "item.created", version: 1 });
    expect(event.item).toEqual({
      id: 1,
      name: "Sample Item",
      description: null,
      price: 9.99,
      version: 1,
      createdAt: event.timestamp,
      updatedAt: event.timestamp,
    });
    expect(event.timestamp >= before && event.timestamp <= new Date().toISOString()).toBe(true);
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(buildEvent("item.created").id).not.toBe(event.id);
  });

  test("takes the fields, and the envelope, that are given", () => {
    const event = buildEvent("item.updated", { id: 7, name: "x", version: 9 }, { id: "one", timestamp: "2026-02-18T18:23:45.123Z" });
    expect(event).toMatchObject({ id: "one", timestamp: "2026-02-18T18:23:45.123Z", version: 1 });
    expect(event.item).toMatchObject({ id: 7, name: "x", price: 9.99, version: 9, updatedAt: "2026-02-18T18:23:45.123Z" });
  });

  test("an updated record is at least at version 2; a deleted one may be at its first", () => {
    expect(buildEvent("item.updated").item.version).toBe(2);
    expect(buildEvent("item.deleted").item.version).toBe(1);
  });

  test("for a resource of one's own; every event can be read, and is written as the service writes it", () => {
    for (const event of [
      ...changes.map((change) => buildEvent(`item.${change}`)),
      ...changes.map((change) => buildEventOf(order, change, { customer: "Eve" })),
    ]) {
      const parsed = parseEvent(JSON.stringify(event), catalogue);
      expect(parsed).toMatchObject({ ok: true, event: event as never });
    }
    expect(Object.keys(buildEventOf(order, "created").order)).toEqual([
      "id",
      "customer",
      "lines",
      "address",
      "recipient",
      "state",
      "version",
      "createdAt",
      "updatedAt",
    ]);
  });

  test("is typed: a wrong field, value or type does not compile", () => {
    // @ts-expect-error there is no such event
    const wrongType = () => buildEvent("item.exploded");
    // @ts-expect-error there is no such field
    const wrongField = () => buildEvent("item.created", { colour: "red" });
    // @ts-expect-error a price is a number
    const wrongValue = () => buildEvent("item.created", { price: "1" });
    const price: number | null = buildEvent("item.created").item.price;
    expect([price, typeof wrongType, typeof wrongField, typeof wrongValue]).toEqual([9.99, "function", "function", "function"]);
  });
});

describe("testConsumer", () => {
  test("tells what was done with an event, a text, or bytes", async () => {
    const seen: string[] = [];
    await using consumer = testConsumer({ queue: "prices", events: ["item.created"], handle: ({ item }) => void seen.push(item.name) });
    expect(await consumer.deliver(buildEvent("item.created", { name: "one" }))).toEqual({ action: "ack", result: "handled" });
    expect(await consumer.deliver(JSON.stringify(buildEvent("item.created", { name: "two" })))).toEqual({
      action: "ack",
      result: "handled",
    });
    expect(await consumer.deliver(buildEvent("item.deleted"))).toEqual({ action: "ack", result: "skipped" });
    expect(await consumer.deliver(new Uint8Array([0xff, 0x00]))).toMatchObject({ action: "dead-letter", reason: "not-json" });
    expect(await consumer.deliver(buildEvent("item.created", { price: -1 }))).toMatchObject({ action: "dead-letter", reason: "invalid" });
    expect(seen).toEqual(["one", "two"]);
    expect(consumer.counts).toEqual({ handled: 2, duplicates: 0, skipped: 1, retried: 0, deadLettered: 2 });
  });

  test("delivers a text as a queue has it: as bytes, a byte order mark among them", async () => {
    await using consumer = testConsumer({ queue: "prices", handle: () => {} });
    const text = JSON.stringify(buildEvent("item.created"));
    for (const mark of ["", "\uFEFF"]) {
      for (const message of [`${mark}${text}`, Buffer.from(`${mark}${text}`)]) {
        expect(await consumer.deliver(message)).toEqual({ action: "ack", result: "handled" });
      }
    }
    expect(await consumer.deliver(`\uFEFF\uFEFF${text}`)).toMatchObject({ action: "dead-letter", reason: "not-json" });
    const long = JSON.stringify(buildEvent("item.created", { more: "\u{1f430}".repeat(1_100_000) } as object));
    expect(await consumer.deliver(long)).toMatchObject({ action: "dead-letter", reason: "too-large" });
  });

  test("delivers what a publisher says of the encoding", async () => {
    await using consumer = testConsumer({ queue: "prices", handle: () => {} });
    expect(await consumer.deliver(buildEvent("item.created"), { contentEncoding: "utf-8" })).toMatchObject({ action: "ack" });
    expect(await consumer.deliver(buildEvent("item.created"), { contentEncoding: "gzip" })).toMatchObject({
      action: "dead-letter",
      reason: "encoded",
      error: 'unsupported content_encoding "gzip"; send the event as uncompressed JSON in UTF-8',
    });
  });

  test("delivers again until the end, without the waits; the handler knows the attempt", async () => {
    const attempts: number[] = [];
    await using consumer = testConsumer({
      queue: "prices",
      retry: { attempts: 3, firstDelayMs: 3_600_000, longestDelayMs: 3_600_000 },
      handle(_, { attempt }) {
        attempts.push(attempt);
        throw new Error("no");
      },
    });
    const outcomes = await consumer.deliverWithRetries(buildEvent("item.created"));
    expect(outcomes.map(({ action }) => action)).toEqual(["retry", "retry", "dead-letter"]);
    expect(outcomes[2]).toEqual({ action: "dead-letter", reason: "attempts-exhausted", attempts: 3, error: new Error("no") });
    expect(attempts).toEqual([1, 2, 3]);
  });

  test("a handler that gets over it, gives up, or says when", async () => {
    let failing = 2;
    await using consumer = testConsumer<"item.*">({
      queue: "prices",
      handle({ item }) {
        if (item.name === "reject") throw new Reject("no");
        if (item.name === "later") throw new RetryAfter(1500);
        if (failing-- > 0) throw new Error("not yet");
      },
    });
    const over = await consumer.deliverWithRetries(buildEvent("item.created"));
    expect(over.map(({ action }) => action)).toEqual(["retry", "retry", "ack"]);
    expect(await consumer.deliver(buildEvent("item.created", { name: "reject" }))).toMatchObject({ reason: "rejected", attempts: 1 });
    expect(await consumer.deliver(buildEvent("item.created", { name: "later" }))).toMatchObject({ action: "retry", delayMs: 2000 });
  });

  test("shows what a handler with exactlyOnce has written", async () => {
    await using consumer = testConsumer({
      queue: "totals",
      events: ["item.created"],
      exactlyOnce: true,
      setup: (tx) => tx.run("CREATE TABLE prices (item INTEGER, price REAL)"),
      handle: ({ item }, { tx }) => tx.run("INSERT INTO prices VALUES (?, ?)", item.id, item.price),
    });
    const event = buildEvent("item.created", { id: 3, price: 5 });
    expect(await consumer.deliver(event)).toEqual({ action: "ack", result: "handled" });
    expect(await consumer.deliver(event)).toEqual({ action: "ack", result: "duplicate" });
    expect(await consumer.rows<{ item: number; price: number }>("SELECT * FROM prices WHERE item = ?", 3)).toEqual([{ item: 3, price: 5 }]);
  });

  test("takes resources and a log of one's own", async () => {
    const { log, lines } = recordedLog();
    const consumer = testConsumer({ queue: "orders", handle: (_, context) => context.log.info("seen") }, { catalogue, log });
    const event = buildEventOf(order, "created");
    expect(await consumer.deliver(event)).toEqual({ action: "ack", result: "handled" });
    expect(lines).toMatchObject([{ msg: "seen", event: event.id }]);
    await consumer.close();
  });

  test("a consumer may fail as often as the test likes, unless it has a breaker", async () => {
    await using consumer = testConsumer({ queue: "prices", handle: () => Promise.reject(new Error("no")) });
    for (let n = 0; n < 100; n += 1) expect(await consumer.deliver(buildEvent("item.created"))).toMatchObject({ action: "retry" });
  });

  test("closing waits for the event in hand; later deliveries are refused", async () => {
    const gate = Promise.withResolvers<void>();
    const consumer = testConsumer({ queue: "prices", handle: () => gate.promise });
    const order: string[] = [];
    const outcome = consumer.deliver(buildEvent("item.created")).then(({ action }) => order.push(action));
    const closing = consumer.close().then(() => order.push("closed"));
    gate.resolve();
    await Promise.all([outcome, closing]);
    expect(order).toEqual(["ack", "closed"]);
    expect(() => consumer.deliver(buildEvent("item.created"))).toThrow("This consumer is closed.");
  });

  test("options that make no sense are refused, as at a real start", () => {
    expect(() => testConsumer({ queue: "prices", concurrency: 0, handle() {} })).toThrow(
      "concurrency is 0; use a whole number from 1 to 1000.",
    );
    expect(() => testConsumer({ queue: "a", events: ["item.craeted" as "item.created"], handle() {} })).toThrow(
      'Unknown event type "item.craeted"',
    );
  });
});
