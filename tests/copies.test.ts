// Copies of messages that cannot be copied as they are: each is as good as the frame and amqplib's encoder let it be.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Failure, Reject } from "../src/delivery/outcome";
import type { Message } from "../src/rabbitmq/connection";
import { copiesOf, revivedCopiesOf, unhandledCopiesOf } from "../src/rabbitmq/copies";
import { headerFrameBytes } from "../src/rabbitmq/frame-size";
import type { OutgoingMessage } from "../src/rabbitmq/message";
import { type PublishChannel, Publisher } from "../src/rabbitmq/publisher";
import { MockChannel } from "./support/mock-channel";
import { encodedBytes } from "./support/wire-bytes";

const now = new Date("2026-02-18T18:23:45.123Z");
const frames = [4096, 8192, 131_072];
const given = (error: unknown): Failure => ({ action: "dead-letter", reason: "rejected", attempts: 5, error });
const retried = (error: unknown): Failure => ({ action: "retry", delayMs: 1000, attempts: 2, error });
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function messageWith(properties: Record<string, unknown>): Message {
  const fields = { deliveryTag: 1, redelivered: false, exchange: "events", routingKey: "item.created" };
  return { content: Buffer.from("not JSON"), fields, properties: { headers: undefined, ...properties } } as unknown as Message;
}

/** The copy that is sent on a connection with such frames. */
async function sent(copies: Iterable<OutgoingMessage>, frameMax: number): Promise<OutgoingMessage> {
  const channel = new MockChannel();
  const { publish } = channel;
  channel.publish = (exchange, routingKey, content, options, callback) => {
    encodedBytes(options ?? {});
    return publish.call(channel, exchange, routingKey, content, options, callback);
  };
  channel.broker = (copy) => copy.confirm();
  const publisher = new Publisher(Object.assign(channel, { connection: { frameMax } }) as PublishChannel);
  await publisher.publishFirst(copies);
  expect(channel.published).toHaveLength(1);
  const [{ exchange, routingKey, content, options }] = channel.published as unknown as [OutgoingMessage];
  expect(encodedBytes(options)).toBeLessThanOrEqual(frameMax);
  return { exchange, routingKey, content, options };
}

const deadCopy = (message: Message, failure: Failure, frameMax = 131_072) =>
  sent(copiesOf(message, "q.dead", "q", failure, now, frameMax), frameMax);

describe("a property that amqplib reads and cannot write", () => {
  test.each([
    ["timestamp", 2 ** 64, "timestamp"],
    ["messageId", "�".repeat(100), "messageId"],
    ["type", "�".repeat(100), "type"],
    ["correlationId", "�".repeat(100), "correlationId"],
  ])("%s: the copy has all the others, and the headers, and says so", async (name, value, leftOut) => {
    const properties = { messageId: "m", type: "t", timestamp: 7, contentType: "c", headers: { mine: 1 } };
    const { content, options } = await deadCopy(messageWith({ ...properties, [name]: value }), given(new Error("no")));
    expect(content.toString()).toBe("not JSON");
    const { [name]: _, ...others } = properties as Record<string, unknown>;
    expect(options).toMatchObject({ ...others, headers: { mine: 1, "x-left-out": leftOut, "x-reason": "rejected", "x-attempts": 5 } });
    expect(Object.entries(options)).not.toContainEqual([name, value]);
  });
});

describe("headers that leave no room, or cannot be written", () => {
  test.each([
    ["too large", { huge: "x".repeat(140_000) }],
    ["a key that is no UTF-8", { ["�".repeat(100)]: 1 }],
    ["a table that looks like amqplib's own notation", { at: { "!": "timestamp", value: ":" } }],
    ["a time that no date has", { at: { "!": "timestamp", value: 2 ** 64 } }],
  ])("%s: the copy keeps properties, trace and the mark of a replay", async (_, headers) => {
    const message = messageWith({
      messageId: "m",
      timestamp: 7,
      headers: { ...headers, traceparent, "x-replay": true, "x-replay-forced": true },
    });
    const { options } = await deadCopy(message, given(new Error("no")));
    const kept = { traceparent, "x-replay": true, "x-replay-forced": true };
    expect(options).toMatchObject({ messageId: "m", timestamp: 7, headers: { ...kept, "x-left-out": "headers", "x-error": "Error: no" } });
  });

  test("a table that is nested too deeply", async () => {
    let table: object = {};
    for (let depth = 0; depth < 100_000; depth += 1) table = { a: table };
    const { options } = await deadCopy(messageWith({ headers: { table } }), given("no"));
    expect(options.headers).toMatchObject({ "x-left-out": "headers", "x-error": "no" });
  });

  test("of a message that goes back as it came: what was noted of its failures stays", async () => {
    const notes = { "x-attempts": 3, "x-error": "é".repeat(300), "x-reason": "rejected", "x-first-failure": now.toISOString() };
    const { options } = await sent(unhandledCopiesOf(messageWith({ headers: { huge: "x".repeat(140_000), ...notes } }), "q"), 131_072);
    expect(options.headers).toMatchObject({ ...notes, "x-error": "é".repeat(100), "x-left-out": "headers" });
    expect(options.headers).not.toHaveProperty("huge");
  });

  test("keeps the note of what the message already lacked", async () => {
    const headers = { "x-left-out": "headers, which could not be decoded: no", other: 1 };
    const { options } = await deadCopy(messageWith({ timestamp: -1, headers }), given("no"));
    expect(options.headers).toMatchObject({ "x-left-out": "headers, which could not be decoded: no, timestamp", other: 1 });
  });
});

describe("an error with 4,900 characters of three bytes", () => {
  const error = new Reject("漢".repeat(4900));

  test("is whole where the frame has room for it", async () => {
    const { options } = await deadCopy(messageWith({ headers: { mine: 1 } }), given(error));
    expect(options.headers).toMatchObject({ mine: 1, "x-error": `${"漢".repeat(999)}…` });
  });

  test.each([4096, 8192])("is cut between characters where a frame has %p bytes; what the message came with is kept", async (frameMax) => {
    for (const failure of [given(error), retried(error)]) {
      const { options } = await deadCopy(messageWith({ messageId: "m", headers: { mine: 1, traceparent } }), failure, frameMax);
      expect(options).toMatchObject({ messageId: "m", headers: { mine: 1, traceparent } });
      const text = options.headers?.["x-error"] as string;
      expect(Buffer.byteLength(text)).toBeGreaterThan(frameMax / 4 - 3);
      expect(text).toMatch(/^漢+…?$/);
    }
  });
});

const value = fc.oneof(
  fc.string({ unit: "binary", maxLength: 3000 }),
  fc.jsonValue() as fc.Arbitrary<unknown>,
  fc.double(),
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
  fc.record({ "!": fc.constantFrom("timestamp", "decimal", "float", "nonsense"), value: fc.jsonValue() }),
);
const short = fc.option(fc.string({ unit: "binary", maxLength: 300 }), { nil: undefined });
const properties = fc.record({
  messageId: short,
  type: short,
  contentType: short,
  contentEncoding: short,
  correlationId: short,
  appId: short,
  timestamp: fc.option(fc.double({ min: 0, max: 2 ** 64, noNaN: true }), { nil: undefined }),
  headers: fc.option(fc.dictionary(fc.string({ maxLength: 300 }), value, { maxKeys: 8, noNullPrototype: true }), { nil: undefined }),
});

test("of any message, after any error, on any connection, one copy can be sent", async () => {
  const error = fc.string({ unit: "binary", maxLength: 5000 }).map((text) => new Error(text));
  const queue = "q".repeat(200);
  await fc.assert(
    fc.asyncProperty(properties, error, fc.constantFrom(...frames), async (properties, error, frameMax) => {
      const message = messageWith(properties);
      for (const failure of [given(error), retried(error)]) {
        const { content, options } = await sent(copiesOf(message, "target", queue, failure, now, frameMax), frameMax);
        expect(content).toBe(message.content);
        expect(options.headers).toMatchObject({ "x-attempts": failure.attempts });
      }
      expect((await sent(unhandledCopiesOf(message, queue), frameMax)).content).toBe(message.content);
      const { options } = await sent(revivedCopiesOf(message, queue), frameMax);
      expect(options.headers).toMatchObject({ "x-redriven": true });
      expect(options.headers).not.toHaveProperty("x-attempts");
    }),
    { numRuns: 300 },
  );
});

test("the size of a header frame is never less than what amqplib makes of it", () => {
  fc.assert(
    fc.property(properties, (options) => {
      const message = { ...options, persistent: true, messageId: options.messageId ?? "id" } as OutgoingMessage["options"];
      let encoded: number;
      try {
        encoded = encodedBytes(message);
      } catch {
        return;
      }
      expect(headerFrameBytes(message)).toBeGreaterThanOrEqual(encoded);
    }),
    { numRuns: 1000 },
  );
});
