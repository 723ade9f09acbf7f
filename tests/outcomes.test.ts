// Outcomes of messages: each row of the table, and the decision by itself.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Reject, RetryAfter } from "warren/consumer";
import { buildEvent, testConsumer } from "warren/testing";
import { HandlerTimeout } from "../src/delivery/handle";
import { deadReasons, decideOutcome, describeError, type Result, spanTroubleOf } from "../src/delivery/outcome";
import { defaultRetry } from "../src/delivery/retry-policy";
import { maxEventBytes, unreadableReasons } from "../src/schema/event";
import { anyText } from "./support/arbitrary";

describe("each row of the table", () => {
  const created = buildEvent("item.created");

  test("the handler returned: ack", async () => {
    for (const handle of [() => {}, () => "anything", async () => {}, () => Promise.resolve(false)]) {
      await using consumer = testConsumer({ queue: "rows", handle });
      expect(await consumer.deliver(created)).toEqual({ action: "ack", result: "handled" });
    }
  });

  test("the handler threw: retry with a growing delay; after the last attempt: dead letter", async () => {
    for (const handle of [
      () => {
        throw new Error("no");
      },
      () => Promise.reject(new Error("no")),
    ]) {
      await using consumer = testConsumer({ queue: "rows", handle });
      const outcomes = await consumer.deliverWithRetries(created);
      const delays = [1000, 2000, 4000, 8000];
      expect(outcomes).toHaveLength(5);
      for (const [index, outcome] of outcomes.slice(0, 4).entries()) {
        const delay = delays[index] as number;
        expect(outcome).toEqual({ action: "retry", attempts: index + 1, delayMs: expect.any(Number) as number, error: new Error("no") });
        if (outcome.action === "retry") expect([delay * 0.75, delay, delay * 1.25]).toContain(outcome.delayMs);
      }
      expect(outcomes[4]).toEqual({ action: "dead-letter", reason: "attempts-exhausted", attempts: 5, error: new Error("no") });
    }
  });

  test("the handler threw Reject: dead letter at once, with its reason", async () => {
    const cause = new Error("404");
    await using consumer = testConsumer({
      queue: "rows",
      handle() {
        throw new Reject("no such customer", { cause });
      },
    });
    const outcome = await consumer.deliver(created);
    expect(outcome).toMatchObject({ action: "dead-letter", reason: "rejected", attempts: 1 });
    if (outcome.action === "ack") throw new Error("acknowledged");
    expect(outcome.error).toMatchObject({ message: "no such customer", cause });
  });

  test("the handler threw RetryAfter: retry when it said; it counts as an attempt", async () => {
    await using consumer = testConsumer({
      queue: "rows",
      retry: { attempts: 2 },
      handle() {
        throw new RetryAfter(90_000, "busy");
      },
    });
    expect(await consumer.deliverWithRetries(created)).toMatchObject([
      { action: "retry", delayMs: 90_000, attempts: 1 },
      { action: "dead-letter", reason: "attempts-exhausted", attempts: 2 },
    ]);
  });

  const item = JSON.stringify(created.item);
  test.each([
    ["too-large", new Uint8Array(maxEventBytes + 1)],
    ["not-json", ""],
    ["not-json", JSON.stringify(created).slice(0, -1)],
    ["not-json", new Uint8Array([0x7b, 0x22, 0xff])],
    ["not-json", "[".repeat(200_000)],
    ["not-an-event", "null"],
    ["not-an-event", "[]"],
    ["not-an-event", JSON.stringify({ ...created, id: 7 })],
    ["not-an-event", JSON.stringify({ ...created, version: "1" })],
    ["unknown-type", JSON.stringify({ ...created, type: "item.exploded" })],
    ["unknown-version", JSON.stringify({ ...created, version: 2 })],
    ["invalid", JSON.stringify({ ...created, item: undefined })],
    ["invalid", JSON.stringify({ ...created, item: JSON.parse(item.replace('"id":1', '"id":"1"')) as object })],
    ["invalid", JSON.stringify(buildEvent("item.created", { name: "" }))],
  ])("invariant 5: %s: dead letter at once, whatever the attempt, and the handler does not see it", async (reason, body) => {
    const seen: unknown[] = [];
    await using consumer = testConsumer({ queue: "rows", handle: (event) => seen.push(event) });
    for (const attempt of [1, 3]) {
      const outcome = await consumer.deliver(body, { attempt });
      expect(outcome).toMatchObject({ action: "dead-letter", reason, attempts: attempt - 1 });
      if (outcome.action === "dead-letter") expect(outcome.error).toBeString();
    }
    expect(await consumer.deliver(created)).toEqual({ action: "ack", result: "handled" });
    expect(seen).toEqual([created]);
  });

  test("the process died on it as often as allowed: dead letter", async () => {
    await using consumer = testConsumer({ queue: "rows", handle() {} });
    expect(await consumer.deliver(created, { deaths: 2 })).toEqual({ action: "ack", result: "handled" });
    expect(await consumer.deliver(created, { deaths: 3 })).toMatchObject({ action: "dead-letter", reason: "process-died", attempts: 3 });
  });

  test("already done, by the inbox: ack, counted as a duplicate", async () => {
    const seen: unknown[] = [];
    await using consumer = testConsumer({ queue: "rows", exactlyOnce: true, handle: (event) => void seen.push(event) });
    await consumer.deliver(created);
    expect(await consumer.deliver(created)).toEqual({ action: "ack", result: "duplicate" });
    expect([seen, consumer.counts.duplicates]).toEqual([[created], 1]);
  });

  test("a type that the consumer does not ask for: ack, counted as skipped", async () => {
    await using consumer = testConsumer({ queue: "rows", events: ["item.deleted"], handle() {} });
    expect(await consumer.deliver(created)).toEqual({ action: "ack", result: "skipped" });
    expect(consumer.counts).toEqual({ handled: 0, duplicates: 0, skipped: 1, retried: 0, deadLettered: 0 });
  });
});

describe("the outcome of an attempt", () => {
  const error = fc.oneof(
    fc.anything(),
    anyText({ maxLength: 100 }).map((text) => new Error(text)),
    anyText({ maxLength: 100 }).map((text) => new Reject(text)),
    fc.double({ min: 0, noNaN: true }).map((delay) => new RetryAfter(delay)),
    fc.constant(new HandlerTimeout(1)),
  );
  const result: fc.Arbitrary<Result> = fc.oneof(
    fc.constantFrom<Result>({ kind: "handled" }, { kind: "skipped" }, { kind: "duplicate" }),
    error.map((error): Result => ({ kind: "failed", error })),
    fc.integer({ min: 1, max: 1000 }).map((deaths): Result => ({ kind: "died", deaths })),
    fc.constantFrom(...unreadableReasons).map((reason): Result => ({ kind: "unreadable", reason, detail: "x" })),
  );
  const policy = fc
    .record({
      attempts: fc.integer({ min: 1, max: 1000 }),
      firstDelayMs: fc.integer({ min: 1, max: 86_400_000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      extra: fc.integer({ min: 0, max: 86_400_000 }),
    })
    .map(({ extra, ...rest }) => ({ ...rest, longestDelayMs: Math.min(86_400_000, rest.firstDelayMs + extra) }));
  const failures = fc.integer({ min: 0, max: 2000 });
  const chance = fc.double({ min: 0, max: 1, noNaN: true });

  test("is total: any result, after any number of attempts, has one outcome that can be carried out", () => {
    fc.assert(
      fc.property(result, failures, policy, chance, (result, before, policy, chance) => {
        const outcome = decideOutcome(result, before, policy, chance);
        if (outcome.action === "ack") return expect(["handled", "skipped", "duplicate"]).toContain(result.kind);
        expect(["failed", "died", "unreadable"]).toContain(result.kind);
        if (outcome.action === "dead-letter") {
          expect(deadReasons).toContain(outcome.reason);
          return expect(outcome.attempts).toBeGreaterThanOrEqual(before);
        }
        expect(outcome.attempts).toBe(before + 1);
        expect(outcome.attempts).toBeLessThan(policy.attempts);
        expect(Number.isInteger(outcome.delayMs)).toBe(true);
        expect(outcome.delayMs).toBeGreaterThanOrEqual(1);
        const asked = result.kind === "failed" && result.error instanceof RetryAfter;
        expect(outcome.delayMs).toBeLessThanOrEqual(asked ? 86_400_000 : policy.longestDelayMs);
      }),
      { numRuns: 2000 },
    );
  });

  test("is pure: the same again, and nothing that it was given is changed", () => {
    fc.assert(
      fc.property(result, failures, policy, chance, (result, before, policy, chance) => {
        const frozen = [Object.freeze(result), Object.freeze(policy)] as const;
        const first = decideOutcome(frozen[0], before, frozen[1], chance);
        expect(decideOutcome(result, before, policy, chance)).toEqual(first);
      }),
    );
  });

  test("no message is retried forever: after the policy's attempts it is a dead letter", () => {
    fc.assert(
      fc.property(error, policy, chance, (error, policy, chance) => {
        let made = 0;
        for (; ; made += 1) {
          const outcome = decideOutcome({ kind: "failed", error }, made, policy, chance);
          if (outcome.action !== "retry") break;
        }
        expect(made + 1).toBe(error instanceof Reject ? 1 : policy.attempts);
      }),
      { numRuns: 100 },
    );
  });

  test("deaths count as attempts of the dead letter", () => {
    expect(decideOutcome({ kind: "died", deaths: 3 }, 2, defaultRetry, 0)).toEqual({
      action: "dead-letter",
      reason: "process-died",
      attempts: 5,
      error: "The process died 3 times while it handled this event",
    });
  });
});

describe("what is kept of an error", () => {
  test("name and message; of a rejection its reason only", () => {
    expect(describeError(new TypeError("no"))).toEqual({
      message: "TypeError: no",
      stack: expect.stringContaining("outcomes.test.ts") as string,
    });
    expect(describeError(new Reject("no")).message).toBe("no");
    for (const [thrown, message] of [
      ["text", "text"],
      [undefined, "undefined"],
      [null, "null"],
      [7n, "7"],
      [Symbol("s"), "Symbol(s)"],
    ] as const) {
      expect(describeError(thrown)).toEqual({ message, stack: null });
    }
  });

  test("errors are cut to the size of a header, between characters", () => {
    const { message, stack } = describeError(Object.assign(new Error(`${"x".repeat(991)}${"🐇".repeat(10_000)}`)));
    expect(message).toHaveLength(1000);
    expect(message.isWellFormed()).toBe(true);
    expect(message.endsWith("…")).toBe(true);
    expect(stack?.length).toBeLessThanOrEqual(4000);
    expect(Buffer.byteLength(`${message}${stack}`)).toBeLessThan(16_000);
  });

  // A handler may throw anything, and whatever it throws has to be written down.
  test("of anything at all, without throwing itself", () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (thrown) => void describeError(thrown)));
    for (const thrown of [
      Object.create(null),
      {
        toString() {
          throw new Error("hostile");
        },
      },
      Object.assign(new Error("a"), { stack: 5 }),
      Object.assign(new Error("a"), { name: Symbol("b") }),
    ]) {
      expect(describeError(thrown).message).toBeString();
    }
  });
});

test("for a span, an error has the name of its class, and whatever else was thrown has none", () => {
  class ShelfMissing extends Error {}
  const hostile = Object.defineProperty(new Error("x"), "constructor", {
    get() {
      throw new Error("no");
    },
  });
  const types = [new TypeError("a"), new ShelfMissing("b"), new Reject("c"), "text", undefined, hostile].map(
    (error) => spanTroubleOf(error).type,
  );
  expect(types).toEqual(["TypeError", "ShelfMissing", "Reject", "_OTHER", "_OTHER", "_OTHER"]);
});
