import type { ConfirmChannel, Options } from "amqplib";

/** Members of amqplib's channel that its types leave out. */
interface Sender {
  /** Number of the channel. */
  readonly ch: number;
  readonly connection: {
    /** Null for a closed channel. */
    readonly channels: readonly ({ readonly buffer: { write(bytes: Buffer): boolean } } | null)[];
    readonly frameMax: number;
    sentSinceLastCheck: boolean;
  };
  /** Has a function of its own that throws once the channel is closing. */
  readonly sendMessage: unknown;
  pushConfirmCallback(confirmed: unknown): void;
}

/** Members of amqplib's connection that its types leave out. */
interface Opener {
  /** Gives a new channel its number. */
  freshChannel(channel: object, options: unknown): number;
}

type Publish = ConfirmChannel["publish"];

/** Messages above this size are left to amqplib, in bytes. */
const mostBytes = 16_384;
/** Most that all is but headers and content. */
const fixedBytes = 64 + 5 * 256;
const slabBytes = 65_536;

const [methodFrame, headerFrame, bodyFrame, frameEnd] = [1, 2, 3, 0xce];
const [basicPublish, basicProperties, textValue, persistent] = [0x3c_0028, 0x3c_0000, 0x53, 2];
/** Content type, headers, delivery mode, message id, timestamp and type. */
const present = 0xb0e0;

const changed = "This version of amqplib sends messages differently; adapt src/rabbitmq/message-frames.ts";

/**
 * Makes the confirm channels of an amqplib connection encode ordinary messages into one buffer, several of them one after another. amqplib
 * allocates a buffer for each part of each message, which was measured to take several times as long. Other messages are left to amqplib.
 *
 * @throws {TypeError} if this version of amqplib opens channels differently. Opening one throws it if that sends messages differently.
 */
export function encodeMessages(connection: object): void {
  if (!isOpener(connection)) throw new TypeError(changed);
  const open = connection.freshChannel.bind(connection);
  connection.freshChannel = (channel, options) => {
    if ("waitForConfirms" in channel) encodeOn(channel);
    return open(channel, options);
  };
}

function encodeOn(channel: object): void {
  if (!isSender(channel)) throw new TypeError(changed);
  const { connection } = channel;
  const publish = channel.publish.bind(channel);
  const encoder = new MessageEncoder();
  channel.publish = (exchange, routingKey, content, options, confirmed) => {
    const buffer = Object.hasOwn(channel, "sendMessage") ? undefined : connection.channels[channel.ch]?.buffer;
    const most = Math.min(connection.frameMax || mostBytes, mostBytes);
    const frames = buffer && encoder.encode(channel.ch, most, exchange, routingKey, content, options ?? {});
    if (!frames) return publish(exchange, routingKey, content, options, confirmed);
    connection.sentSinceLastCheck = true;
    const isTaken = buffer.write(frames);
    channel.pushConfirmCallback(confirmed);
    return isTaken;
  };
}

function isOpener(connection: object): connection is Opener {
  return "freshChannel" in connection && typeof connection.freshChannel === "function";
}

function isSender(channel: object): channel is Sender & { publish: Publish } {
  return ["connection", "publish", "sendMessage", "pushConfirmCallback"].every((name) => name in channel);
}

/** Encodes messages as AMQP 0-9-1 (sections 2.3.5 and 4.2) does. */
class MessageEncoder {
  /** The first message makes one: few channels send any. */
  #slab = Buffer.alloc(0);
  #at = slabBytes;

  /** Returns the frames of a message. Returns undefined if it has more than ordinary ones have. */
  encode(
    channel: number,
    most: number,
    ...[exchange, routingKey, content, options]: [string, string, Buffer, Options.Publish]
  ): Buffer | undefined {
    const { contentType, messageId, type, timestamp } = options;
    if (!isShort(exchange) || !isShort(routingKey) || !isShort(contentType) || !isShort(messageId) || !isShort(type)) return undefined;
    if (!isTime(timestamp) || options.persistent !== true || !Buffer.isBuffer(content) || content.length === 0) return undefined;
    if (hasOthers(options)) return undefined;
    const headers = headersIn(options.headers);
    const bytes = fixedBytes + content.length + 3 * (headers?.length ?? 0);
    if (headers === undefined || bytes > most) return undefined;
    if (this.#at + bytes > slabBytes) {
      // The frames in the former one are in use until the socket has them.
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#at = 0;
    }
    const start = this.#at;
    const method = this.#begin(methodFrame, channel);
    this.#number(basicPublish);
    this.#byte(0);
    this.#byte(0);
    this.#short(exchange);
    this.#short(routingKey);
    this.#byte(options.mandatory ? 1 : 0);
    this.#end(method);
    const header = this.#begin(headerFrame, channel);
    this.#number(basicProperties);
    this.#number(0);
    this.#number(content.length);
    this.#byte(present >> 8);
    this.#byte(present & 0xff);
    this.#short(contentType);
    this.#table(headers.entries);
    this.#byte(persistent);
    this.#short(messageId);
    this.#number(Math.floor(timestamp / 2 ** 32));
    this.#number(timestamp);
    this.#short(type);
    this.#end(header);
    const body = this.#begin(bodyFrame, channel);
    this.#slab.set(content, this.#at);
    this.#at += content.length;
    this.#end(body);
    return this.#slab.subarray(start, this.#at);
  }

  /** Returns where the frame has its size. */
  #begin(kind: number, channel: number): number {
    this.#byte(kind);
    this.#byte(channel >> 8);
    this.#byte(channel);
    this.#at += 4;
    return this.#at - 4;
  }

  #end(sizeAt: number): void {
    this.#size(sizeAt);
    this.#byte(frameEnd);
  }

  #table(entries: readonly string[]): void {
    const at = this.#at;
    this.#at += 4;
    for (let index = 0; index < entries.length; index += 2) {
      this.#short(entries[index] as string);
      this.#byte(textValue);
      const valueAt = this.#at;
      this.#at += 4;
      this.#text(entries[index + 1] as string);
      this.#size(valueAt);
    }
    this.#size(at);
  }

  #short(text: string): void {
    const at = this.#at;
    this.#at += 1;
    this.#text(text);
    this.#slab[at] = this.#at - at - 1;
  }

  #text(text: string): void {
    this.#at += this.#slab.write(text, this.#at);
  }

  /** Writes how many bytes there are after the size itself. */
  #size(at: number): void {
    const end = this.#at;
    this.#at = at;
    this.#number(end - at - 4);
    this.#at = end;
  }

  #number(value: number): void {
    const [slab, at] = [this.#slab, this.#at];
    slab[at] = value >>> 24;
    slab[at + 1] = value >>> 16;
    slab[at + 2] = value >>> 8;
    slab[at + 3] = value;
    this.#at = at + 4;
  }

  #byte(value: number): void {
    this.#slab[this.#at] = value;
    this.#at += 1;
  }
}

/** Returns names and values, in turn, if all are texts. */
function headersIn(headers: unknown): { readonly entries: readonly string[]; readonly length: number } | undefined {
  const entries: string[] = [];
  let length = 0;
  const all = (headers ?? {}) as Readonly<Record<string, unknown>>;
  for (const name in all) {
    const value = all[name];
    if (typeof value !== "string" || !isShort(name)) return undefined;
    entries.push(name, value);
    length += name.length + value.length + 2;
  }
  return { entries, length };
}

function hasOthers(options: Options.Publish): boolean {
  const { contentEncoding, priority, correlationId, replyTo, expiration, userId, appId, CC, BCC } = options;
  return (contentEncoding ?? priority ?? correlationId ?? replyTo ?? expiration ?? userId ?? appId ?? CC ?? BCC) !== undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < 2 ** 52;
}

/** Returns whether a text has at most 255 bytes, whatever its characters are. */
function isShort(text: unknown): text is string {
  return typeof text === "string" && text.length <= 85;
}
