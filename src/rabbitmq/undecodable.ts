import { messageOf } from "../observe/logging";

/** What a copy of a message, or a message that was read, lacks of the original. */
export const leftOutHeader = "x-left-out";

/** What is needed of amqplib's connection, which its types leave out: what was received, and how a frame is taken from that. */
interface Receiver {
  rest: Buffer;
  recvFrame(): unknown;
}

/**
 * Makes a connection of amqplib survive headers that it cannot decode: a table nested so deeply that the decoder's
 * recursion overflows the stack, or a field of a type that RabbitMQ knows and amqplib does not. Without this the
 * connection is lost, and lost again each time that the message is delivered. The message arrives with one header in
 * place of its own: {@link leftOutHeader}, with the reason.
 */
export function surviveUndecodableHeaders(connection: object): void {
  if (!isReceiver(connection))
    throw new TypeError("This version of amqplib reads frames in another way; adapt src/rabbitmq/undecodable.ts");
  const receive = connection.recvFrame.bind(connection);
  let fatal: unknown;
  connection.recvFrame = () => {
    const received = connection.rest;
    try {
      return receive();
    } catch (error) {
      // amqplib calls this again from within.
      if (error === fatal) throw error;
      // amqplib goes on to the next frame before it decodes one.
      const frame = received.subarray(0, received.length - connection.rest.length);
      const replaced = withoutHeaders(frame, `headers, which could not be decoded: ${messageOf(error)}`);
      if (!replaced) {
        fatal = error;
        throw error;
      }
      connection.rest = Buffer.concat([replaced, connection.rest]);
      return receive();
    }
  };
}

function isReceiver(connection: object): connection is Receiver {
  return (
    "rest" in connection && Buffer.isBuffer(connection.rest) && "recvFrame" in connection && typeof connection.recvFrame === "function"
  );
}

/** Bytes of a frame before its payload: type, channel and size. */
const frameStart = 7;
const headerFrame = 2;
/** Class, weight and size of the body stand before the flags of the properties. */
const flagsAt = frameStart + 12;
const [contentTypeFlag, contentEncodingFlag, headersFlag] = [0x8000, 0x4000, 0x2000];

/** A content header frame with another table of headers; undefined where there is none. See AMQP 0-9-1, section 4.2.6.1. */
function withoutHeaders(frame: Buffer, why: string): Buffer | undefined {
  if (frame[0] !== headerFrame || frame.length < flagsAt + 2) return undefined;
  const flags = frame.readUInt16BE(flagsAt);
  if (!(flags & headersFlag)) return undefined;
  let at = flagsAt + 2;
  for (const flag of [contentTypeFlag, contentEncodingFlag]) if (flags & flag) at += 1 + (frame[at] ?? 0);
  if (at + 4 > frame.length) return undefined;
  const rest = frame.subarray(at + 4 + frame.readUInt32BE(at));
  const replaced = Buffer.concat([frame.subarray(0, at), tableOf(leftOutHeader, why), rest]);
  replaced.writeUInt32BE(replaced.length - frameStart - 1, 3);
  return replaced;
}

/** A table with one text in it. */
function tableOf(name: string, text: string): Buffer {
  const [key, value] = [Buffer.from(name), Buffer.from(text)];
  const table = Buffer.concat([Buffer.alloc(4), Buffer.from([key.length]), key, Buffer.from("S\0\0\0\0"), value]);
  table.writeUInt32BE(table.length - 4);
  table.writeUInt32BE(value.length, table.length - value.length - 4);
  return table;
}
