// The copy of a message that waits for its next attempt, or was given up; and what a message may bring along.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Reject } from "warren/consumer";
import { buildEvent } from "warren/testing";
import type { Published } from "./support/mock-channel";
import { consumerOn, deliver } from "./support/subscribed";

const event = buildEvent("item.created", { id: 7 });
const failing = () => Promise.reject(new Error("no"));

describe("the copy", () => {
  test("of a retry has the same bytes and properties, and says what went wrong; invariant 4: it goes to this queue's own place only", async () => {
    const { channel } = await consumerOn({ handle: failing }).subscribe();
    const before = new Date().toISOString();
    const properties = {
      messageId: event.id,
      type: event.type,
      timestamp: 1771439025,
      contentType: "application/json",
      correlationId: "c",
      appId: "a",
    };
    channel.deliver(JSON.stringify(event), { ...properties, headers: { traceparent: "00-x", "x-replay": true } });
    const [copy] = (await channel.untilPublished(1)) as [Published];
    expect([copy.exchange, copy.content.toString()]).toEqual(["", JSON.stringify(event)]);
    expect(copy.options).toMatchObject({ ...properties, persistent: true, mandatory: true });
    const headers = copy.options.headers as Record<string, string>;
    expect(headers).toEqual({
      traceparent: "00-x",
      "x-replay": true as never,
      "x-attempts": 1 as never,
      "x-error": "Error: no",
      "x-first-failure": headers["x-last-failure"] as string,
      "x-last-failure": expect.any(String) as string,
    });
    expect((headers["x-last-failure"] as string) >= before).toBe(true);
  });

  test("counts on from the attempts before it, and keeps the first failure's time", async () => {
    const attempts: number[] = [];
    const { channel } = await consumerOn({
      handle(_, { attempt }) {
        attempts.push(attempt);
        throw new TypeError("no");
      },
    }).subscribe();
    deliver(
      channel,
      event,
      {},
      { "x-attempts": 3, "x-first-failure": "2026-02-18T18:23:45.123Z", "x-last-failure": "2026-02-18T19:00:00.000Z" },
    );
    const [copy] = await channel.untilPublished(1);
    copy?.confirm();
    expect(attempts).toEqual([4]);
    expect(copy?.options.headers).toMatchObject({
      "x-attempts": 4,
      "x-error": "TypeError: no",
      "x-first-failure": "2026-02-18T18:23:45.123Z",
    });
    deliver(channel, event, {}, { "x-attempts": 4 });
    const [, last] = await channel.untilPublished(2);
    expect([last?.routingKey, last?.options.headers]).toMatchObject(["q.dead", { "x-attempts": 5, "x-reason": "attempts-exhausted" }]);
  });

  test("of a dead letter says why, where and with which stack", async () => {
    const { channel } = await consumerOn({
      handle() {
        throw new Reject("no such customer");
      },
    }).subscribe();
    deliver(channel, event);
    const [copy] = await channel.untilPublished(1);
    expect(copy?.options.headers).toMatchObject({
      "x-reason": "rejected",
      "x-queue": "q",
      "x-error": "no such customer",
      "x-attempts": 1,
      "x-stack": expect.stringContaining("rabbit-copies.test.ts") as string,
    });
  });

  test("of garbage is the garbage itself, with the reason", async () => {
    const { channel } = await consumerOn({ handle() {} }).subscribe();
    const garbage = Buffer.from([0xff, 0xfe, 0x00]);
    channel.deliver(garbage, { headers: undefined as never });
    const [copy] = await channel.untilPublished(1);
    expect(copy?.content).toEqual(garbage);
    expect(copy?.options.headers).toMatchObject({ "x-reason": "not-json", "x-attempts": 0 });
    // A message without an id gets one, so that its confirm and its return can be told from others.
    expect(copy?.options.messageId).toMatch(/^[0-9a-f]{8}-/);
  });

  test("a temporary consumer's dead letters are not copied, as no one could read them; its retries are", async () => {
    const { channel } = await consumerOn({ queue: undefined, retry: { attempts: 2 }, handle: failing } as never).subscribe();
    deliver(channel, event);
    (await channel.untilPublished(1))[0]?.confirm();
    await channel.untilAcked(1);
    deliver(channel, event, {}, { "x-attempts": 1 });
    await channel.untilAcked(2);
    expect(channel.published).toHaveLength(1);
  });
});

describe("hostile headers", () => {
  test("that claim attempts, times and replays make no sense and count as none", async () => {
    const told: unknown[] = [];
    const { channel } = await consumerOn({
      handle(_, { attempt, replay }) {
        told.push([attempt, replay]);
        throw new Error("no");
      },
    }).subscribe();
    channel.broker = (copy) => copy.confirm();
    const odd = [-1, 1.5, Number.NaN, Number.MAX_VALUE, "3", {}, [], null, true, { "!": "timestamp", value: 1 }];
    for (const value of odd)
      deliver(
        channel,
        event,
        {},
        { "x-attempts": value, "x-first-failure": value === "3" ? "soon" : value, "x-replay": value === true ? "true" : value },
      );
    const copies = await channel.untilPublished(odd.length);
    expect(told).toEqual(odd.map(() => [1, false]));
    for (const copy of copies) {
      const headers = copy.options.headers as Record<string, string>;
      expect(headers["x-first-failure"]).toBe(headers["x-last-failure"] as string);
    }
  });

  test("cannot send the copy elsewhere as well, and earlier returns are not kept", async () => {
    const { channel } = await consumerOn({ handle: failing }).subscribe();
    deliver(
      channel,
      event,
      {},
      {
        CC: ["item_events"],
        BCC: ["victim"],
        "x-death": [{ count: 7 }],
        "x-first-death-queue": "a",
        "x-last-death-reason": "b",
        cc: "kept",
      },
    );
    const [copy] = await channel.untilPublished(1);
    const headers = copy?.options.headers as Record<string, unknown>;
    expect(Object.keys(headers).filter((name) => !name.startsWith("x-"))).toEqual(["cc"]);
    expect(Object.keys(headers).some((name) => name.includes("death"))).toBe(false);
  });

  test.each([
    ["leave no room", new RangeError('The value of "offset" is out of range')],
    ["cannot be written", new TypeError("Unsupported type in table")],
  ])("that %s are left behind", async (_, error) => {
    const { channel } = await consumerOn({ handle: failing }).subscribe();
    const publish = channel.publish.bind(channel);
    channel.publish = (exchange, routingKey, content, options, callback) => {
      if (options?.headers && "huge" in (options.headers as object)) throw error;
      return publish(exchange, routingKey, content, options, callback);
    };
    deliver(channel, event, {}, { huge: "x".repeat(100_000), traceparent: "00-x" });
    const [copy] = await channel.untilPublished(1);
    copy?.confirm();
    await channel.untilAcked(1);
    const headers = copy?.options.headers as Record<string, unknown>;
    expect(Object.keys(headers)).toEqual(["x-attempts", "x-error", "x-first-failure", "x-last-failure", "x-left-out"]);
    expect(headers["x-left-out"]).toBe("headers");
  });

  test("invariant 5: whatever a message has, it is settled exactly once, and never stops the consumer", async () => {
    const { channel } = await consumerOn({
      concurrency: 4,
      breaker: { minimum: 1_000_000 },
      handle: ({ item }) => (item.id % 2 === 0 ? failing() : undefined),
    }).subscribe();
    channel.broker = (copy) => copy.confirm();
    // What amqplib makes of a table on the wire.
    const value = fc.oneof(
      fc.jsonValue() as fc.Arbitrary<unknown>,
      fc.double(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.record({ "!": fc.constantFrom("timestamp", "decimal", "float"), value: fc.jsonValue() }),
    );
    const known = fc.constantFrom("x-attempts", "x-replay", "x-replay-forced", "x-first-failure", "x-reason", "CC", "toString");
    const headers = fc.option(fc.dictionary(fc.oneof(known, fc.string()), value, { noNullPrototype: true }), { nil: undefined });
    const properties = fc.record({ messageId: fc.string(), type: fc.string(), timestamp: fc.nat() }, { requiredKeys: [] });
    const body = fc.oneof(
      fc.integer({ min: 1, max: 20 }).map((id) => JSON.stringify(buildEvent("item.created", { id }))),
      fc.json(),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    );
    let delivered = 0;
    await fc.assert(
      fc.asyncProperty(body, headers, properties, fc.boolean(), async (body, headers, properties, redelivered) => {
        channel.deliver(body, { ...properties, headers } as never, { redelivered });
        delivered += 1;
        await channel.untilAcked(delivered);
      }),
      { numRuns: 300 },
    );
    expect(new Set(channel.acked.map(({ fields }) => fields.deliveryTag)).size).toBe(delivered);
    expect(channel.acked).toHaveLength(delivered);
  });
});
