// Messages that no client library would send: their property bytes are encoded here.
import { connect } from "amqplib";

const [headersFlag, messageIdFlag, timestampFlag] = [0x2000, 0x80, 0x40];

const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const short = (text: string | Buffer) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const long = (bytes: Buffer) => Buffer.concat([u32(bytes.length), bytes]);

/** Returns a header table nested `depth` levels deep. */
export function nestedTable(depth: number): Buffer {
  const table = Buffer.alloc(7 * depth);
  for (let level = 0; level < depth; level += 1) {
    table.write("\x01aF", level * 7, "latin1");
    table.writeUInt32BE(7 * (depth - level - 1), level * 7 + 3);
  }
  return table;
}

export interface RawProperties {
  /** Fields of the header table. */
  readonly headers?: Buffer;
  readonly messageId?: Buffer;
  readonly timestamp?: bigint;
}

/** Encodes the properties of a message, with their flags, as in a content header frame. */
export function propertyBytes({ headers, messageId, timestamp }: RawProperties): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(timestamp ?? 0n);
  return Buffer.concat([
    u16((headers ? headersFlag : 0) | (messageId ? messageIdFlag : 0) | (timestamp === undefined ? 0 : timestampFlag)),
    ...(headers ? [long(headers)] : []),
    ...(messageId ? [short(messageId)] : []),
    ...(timestamp === undefined ? [] : [time]),
  ]);
}

function frame(type: 1 | 2 | 3, channel: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), u16(channel), long(payload), Buffer.from([0xce])]);
}

/** Encodes the content header frame of a message. */
export function headerFrame(channel: number, properties: RawProperties, bodyBytes: number): Buffer {
  return frame(2, channel, Buffer.concat([u16(60), u16(0), u32(0), u32(bodyBytes), propertyBytes(properties)]));
}

/** Puts messages on a queue. Resolves when RabbitMQ has accepted them. */
export async function sendRaw(url: string, queue: string, messages: readonly (RawProperties & { body: string })[]): Promise<void> {
  const model = await connect(url);
  const channel = await model.createChannel();
  await channel.checkQueue(queue);
  const [{ sendBytes }, number] = [
    model.connection as unknown as { sendBytes(bytes: Buffer): void },
    (channel as unknown as { ch: number }).ch,
  ];
  for (const { body, ...properties } of messages) {
    const publish = Buffer.concat([u16(60), u16(40), u16(0), short(""), short(queue), Buffer.from([0])]);
    const frames = [frame(1, number, publish), headerFrame(number, properties, body.length)];
    if (body.length > 0) frames.push(frame(3, number, Buffer.from(body, "latin1")));
    sendBytes.call(model.connection, Buffer.concat(frames));
  }
  // RabbitMQ replies after it has read everything sent earlier on the channel.
  await channel.checkQueue(queue);
  await model.close();
}
