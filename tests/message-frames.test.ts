// The frames of messages: byte for byte those that amqplib makes.
import { expect, test } from "bun:test";
import { Duplex } from "node:stream";
import fc from "fast-check";
import type { ConfirmChannel as AmqplibChannel } from "../src/rabbitmq/connection";
import { encodeMessages } from "../src/rabbitmq/message-frames";

interface Connection {
  frameMax: number;
  channels: unknown[];
  sendMessage(...message: unknown[]): boolean;
}
interface Channel extends Pick<AmqplibChannel, "publish"> {
  readonly unconfirmed: readonly unknown[];
  allocate(): Channel;
  toClosed(reason: string): void;
}
// amqplib does not export them.
const { Connection } = require("../node_modules/amqplib/lib/connection.js") as { Connection: new (socket: Duplex) => Connection };
const { ConfirmChannel } = require("../node_modules/amqplib/lib/channel_model.js") as {
  ConfirmChannel: new (connection: Connection) => Channel;
};

/** A channel, and the bytes that it writes. */
function opened(isOurs: boolean, frameMax = 131_072) {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  const connection = new Connection(socket);
  connection.frameMax = frameMax;
  let left = 0;
  const amqplibs = connection.sendMessage;
  connection.sendMessage = (...message) => {
    left += 1;
    return amqplibs.apply(connection, message);
  };
  if (isOurs) encodeMessages(connection);
  // Not the first one, so that its number is told from others.
  new ConfirmChannel(connection).allocate();
  const channel = new ConfirmChannel(connection).allocate();
  return { channel, left: () => left, bytes: () => Buffer.concat(written) };
}

type Message = readonly [exchange: string, routingKey: string, content: Buffer, options: object];

const event: Message = [
  "events",
  "item.created",
  Buffer.from('{"name":"Zoë 😀"}'),
  {
    ...{
      messageId: "0198aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa",
      type: "item.created",
      timestamp: 1_771_439_025,
      contentType: "application/json",
    },
    ...{ persistent: true, mandatory: true, headers: { "cloudEvents:subject": "1", traceparent: "00-0af7", "cloudEvents:source": "/Zoë" } },
  },
];

async function bytesOf(isOurs: boolean, messages: readonly Message[], frameMax?: number) {
  const { channel, left, bytes } = opened(isOurs, frameMax);
  for (const message of messages) channel.publish(...message, () => {});
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  return { bytes: bytes(), left: left() };
}

test("an event is encoded as amqplib does, and not by it", async () => {
  const [ours, theirs] = [await bytesOf(true, [event, event]), await bytesOf(false, [event, event])];
  expect(ours.bytes.toString("hex")).toBe(theirs.bytes.toString("hex"));
  expect([ours.left, theirs.left]).toEqual([0, 2]);
});

test("more events than fit into one buffer stay as they were", async () => {
  const many = Array.from({ length: 500 }, (_, n): Message => [event[0], event[1], Buffer.from(`${n}`.repeat(100)), event[3]]);
  const [ours, theirs] = [await bytesOf(true, many), await bytesOf(false, many)];
  expect(ours.bytes.equals(theirs.bytes)).toBe(true);
  expect(ours.left).toBe(0);
});

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.string({ minLength: 86, maxLength: 90 }),
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 12 });
const options = fc.record({
  messageId: optional(text),
  type: optional(text),
  timestamp: optional(fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 40 }))),
  contentType: optional(text),
  persistent: optional(fc.boolean()),
  mandatory: fc.boolean(),
  headers: optional(
    fc.dictionary(text, fc.oneof({ weight: 9, arbitrary: text }, fc.boolean(), fc.integer(), fc.constant(undefined)), { maxKeys: 4 }),
  ),
  priority: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined, freq: 20 }),
  CC: fc.option(text, { nil: undefined, freq: 20 }),
  expiration: fc.option(fc.nat(), { nil: undefined, freq: 20 }),
});
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(4_000, 4_096, 15_000, 17_000, 140_000).map((length) => Buffer.alloc(length, "x")),
);

test("property: any messages have the same bytes as amqplib's, or the same error", async () => {
  const message = fc.tuple(text, text, content, options) as fc.Arbitrary<Message>;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 8 }), fc.constantFrom(4_096, 131_072), async (messages, frameMax) => {
      const sent = async (isOurs: boolean) => {
        const { channel, bytes } = opened(isOurs, frameMax);
        const errors = messages.map((each) => {
          try {
            channel.publish(...each, () => {});
            return "";
          } catch (error) {
            return String(error);
          }
        });
        for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
        return { errors, bytes: Bun.hash(bytes()) };
      };
      expect(await sent(true)).toEqual(await sent(false));
    }),
    { numRuns: 60 },
  );
});

test("a channel that is closed refuses them as before", () => {
  const { channel } = opened(true);
  channel.publish(...event, () => {});
  expect(channel.unconfirmed).toHaveLength(1);
  channel.toClosed("test");
  expect(() => channel.publish(...event, () => {})).toThrow("Channel closed");
});

test("an amqplib that sends messages in another way is refused", () => {
  expect(() => encodeMessages({})).toThrow("adapt src/rabbitmq/message-frames.ts");
});
