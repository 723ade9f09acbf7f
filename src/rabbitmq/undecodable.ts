import { messageOf } from "../observe/logging";

/** Header that lists the parts of the original missing from a copied or received message. */
export const leftOutHeader = "x-left-out";

/** Members of amqplib's connection that its types leave out: the received bytes, and the method that takes a frame from them. */
interface Receiver {
  rest: Buffer;
  recvFrame(): unknown;
}

/**
 * Makes an amqplib connection survive headers that it cannot decode. Examples are a table nested so deeply that the decoder's recursion
 * overflows the stack, and a field type that only RabbitMQ supports. Otherwise the connection is lost each time the message is delivered.
 * The message arrives with a single header instead of its own: {@link leftOutHeader}, with the reason.
 *
 * @throws {TypeError} if this version of amqplib reads frames differently.
 */
export function surviveUndecodableHeaders(connection: object): void {
  if (!isReceiver(connection)) throw new TypeError("This version of amqplib reads frames differently; adapt src/rabbitmq/undecodable.ts");
  const receive = connection.recvFrame.bind(connection);
  let fatal: unknown;
  connection.recvFrame = () => {
    const received = connection.rest;
    try {
      return receive();
    } catch (error) {
      // amqplib calls this function recursively.
      if (error === fatal) throw error;
      // amqplib removes a frame from `rest` before it decodes it.
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

/** Length of a frame before its payload, in bytes: type, channel and size. */
const frameStart = 7;
const headerFrame = 2;
/** Offset of the property flags, after the class, weight and body size. */
const flagsAt = frameStart + 12;
const [contentTypeFlag, contentEncodingFlag, headersFlag] = [0x8000, 0x4000, 0x2000];

/** Replaces the header table of a content header frame (AMQP 0-9-1, section 4.2.6.1). Returns undefined if there is none. */
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

/** Encodes a table with one text entry. */
function tableOf(name: string, text: string): Buffer {
  const [key, value] = [Buffer.from(name), Buffer.from(text)];
  const table = Buffer.concat([Buffer.alloc(4), Buffer.from([key.length]), key, Buffer.from("S\0\0\0\0"), value]);
  table.writeUInt32BE(table.length - 4);
  table.writeUInt32BE(value.length, table.length - value.length - 4);
  return table;
}
