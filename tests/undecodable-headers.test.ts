// Frames as RabbitMQ sends them, read by amqplib's own connection.
import { describe, expect, test } from "bun:test";
import { Duplex } from "node:stream";
import { surviveUndecodableHeaders } from "../src/rabbitmq/undecodable";
import { headerFrame, nestedTable, type RawProperties } from "./support/raw-message";

interface AmqplibConnection {
  rest: Buffer;
  recvFrame(): { size: number; fields: Record<string, unknown> } | false;
}
// amqplib does not export it.
const { Connection } = require("../node_modules/amqplib/lib/connection.js") as { Connection: new (stream: Duplex) => AmqplibConnection };

/** A connection that has received these bytes, in pieces of this size. */
function received(bytes: Buffer, size = bytes.length): AmqplibConnection {
  const stream = new Duplex({ read() {}, write: (_, __, done) => done() });
  const connection = new Connection(stream);
  surviveUndecodableHeaders(connection);
  for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
  return connection;
}

const good: RawProperties = { headers: Buffer.from("\x01at\x01", "latin1"), messageId: Buffer.from("second"), timestamp: 7n };

const undecodable: [string, Buffer, RegExp][] = [
  ["nested too deeply", nestedTable(100_000), /call stack/],
  ["of a type that amqplib does not know", Buffer.concat([Buffer.from("\x01aL", "latin1"), Buffer.alloc(8)]), /type tag "L"/],
  ["longer than they are", Buffer.from("\x01aS\0\0", "latin1"), /range/i],
];

describe.each(undecodable)("headers %s", (_, headers, why) => {
  test.each([undefined, 1000])("leave the message, its other properties, and what comes behind it (in pieces of %p)", (size) => {
    const bad = { headers, messageId: Buffer.from("first"), timestamp: 5n };
    const connection = received(Buffer.concat([headerFrame(1, bad, 10), headerFrame(1, good, 20)]), size);
    expect(connection.recvFrame()).toMatchObject({
      size: 10,
      fields: { messageId: "first", timestamp: 5, headers: { "x-left-out": expect.stringMatching(why) as string } },
    });
    expect(connection.recvFrame()).toMatchObject({ size: 20, fields: { messageId: "second", timestamp: 7, headers: { a: true } } });
    expect(connection.recvFrame()).toBe(false);
  });
});

test("what is not a frame is an error as before", () => {
  const frame = headerFrame(1, good, 1);
  frame[frame.length - 1] = 0;
  expect(() => received(frame).recvFrame()).toThrow("Invalid frame");
  expect(() => received(Buffer.concat([headerFrame(1, good, 1).fill(9, 0, 1)])).recvFrame()).toThrow("Unknown frame type 9");
});

test("an amqplib that reads frames in another way is refused, not left unguarded", () => {
  expect(() => surviveUndecodableHeaders({})).toThrow("adapt src/rabbitmq/undecodable.ts");
});
