import { describeError, type Failure } from "../delivery/outcome";
import type { Message, Options } from "./connection";
import type { OutgoingMessage } from "./message";
import { firstFailureOf, replayMarkOf, traceparentOf } from "./message-headers";
import { leftOutHeader } from "./undecodable";

/** Headers that Warren adds to a message that failed. */
const failureHeaders = ["x-attempts", "x-error", "x-first-failure", "x-last-failure", "x-reason", "x-queue", "x-stack"] as const;

/**
 * Headers that a copy leaves out: the broker's own notes of earlier returns, and `CC` and `BCC`, which would also send the copy elsewhere
 * (RabbitMQ's sender-selected distribution).
 */
const droppedHeader = /^(x-death|x-(first|last)-death-.*|x-delivery-count|CC|BCC)$/;

/** Length of the error text in the smallest copy, in bytes. That copy fits into AMQP's smallest frame, 4,096 bytes. */
const leastErrorBytes = 200;

type Headers = Readonly<Record<string, unknown>>;

/**
 * Yields copies of a failed message for its retry or dead-letter queue, with the failure in the headers. Each copy has fewer details than
 * the one before; the last one can always be sent.
 *
 * @param frameMax Largest frame that RabbitMQ accepts, in bytes.
 */
export function* copiesOf(
  message: Message,
  target: string,
  queue: string,
  outcome: Failure,
  now: Date,
  frameMax: number,
): Generator<OutgoingMessage> {
  const kept = keptHeaders(message);
  const notes = (mostBytes: number) => failureNotes(message, queue, outcome, now, mostBytes);
  const { properties, leftOut } = propertiesOf(message);
  yield copy(message, target, properties, { ...kept, ...notes(Number.POSITIVE_INFINITY), ...leftOutNote(leftOut, message) });
  const short = notes(Math.floor(frameMax / 4));
  yield copy(message, target, properties, { ...kept, ...short, ...leftOutNote(leftOut, message) });
  const own = { ...ownHeaders(message), ...short, ...leftOutNote(["headers", ...leftOut], message) };
  yield copy(message, target, properties, own);
  yield copy(message, target, {}, { ...notes(leastErrorBytes), [leftOutHeader]: "headers and properties" });
}

/** Yields copies of a dead letter for its queue, with the attempt count reset. As in {@link copiesOf}, the last one can always be sent. */
export function* revivedCopiesOf(message: Message, queue: string): Generator<OutgoingMessage> {
  const kept = keptHeaders(message);
  for (const name of failureHeaders) delete kept[name];
  const { properties, leftOut } = propertiesOf(message);
  yield copy(message, queue, properties, { ...kept, ...leftOutNote(leftOut, message), "x-redriven": true });
  const headers = { ...ownHeaders(message), ...leftOutNote(["headers", ...leftOut], message), "x-redriven": true };
  yield copy(message, queue, properties, headers);
}

/** Yields copies of a message for its own queue, unchanged if possible. As in {@link copiesOf}, the last one can always be sent. */
export function* unhandledCopiesOf(message: Message, queue: string): Generator<OutgoingMessage> {
  const { properties, leftOut } = propertiesOf(message);
  yield copy(message, queue, properties, { ...keptHeaders(message), ...leftOutNote(leftOut, message) });
  const headers = { ...ownHeaders(message), ...earlierNotes(message), ...leftOutNote(["headers", ...leftOut], message) };
  yield copy(message, queue, properties, headers);
}

/**
 * Yields copies of a message that a queue keeps, for the same queue or the one in its place. They also keep the broker's note of why it
 * dead-lettered the message.
 */
export function* keptCopiesOf(message: Message, queue: string): Generator<OutgoingMessage> {
  const deaths: unknown = message.properties.headers?.["x-death"];
  for (const copied of unhandledCopiesOf(message, queue)) {
    const { options } = copied;
    if (deaths !== undefined) yield { ...copied, options: { ...options, headers: { ...options.headers, "x-death": deaths } } };
    yield copied;
  }
}

/** Returns the failure headers that Warren added earlier, with long values cut. */
function earlierNotes({ properties }: Message): Headers {
  const notes = failureHeaders.map((name) => [name, properties.headers?.[name]] as const);
  const isPlain = (value: unknown) => typeof value === "string" || typeof value === "number";
  return Object.fromEntries(
    notes
      .filter(([, value]) => isPlain(value))
      .map(([name, value]) => [name, typeof value === "string" ? cutBytes(value, leastErrorBytes) : value]),
  );
}

function keptHeaders({ properties }: Message): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties.headers ?? {}).filter(([name]) => !droppedHeader.test(name)));
}

/** Returns the message's original headers that change how it is handled, and its trace context. */
function ownHeaders(message: Message): Headers {
  const replay = replayMarkOf(message);
  const traceparent = traceparentOf(message);
  return {
    ...(replay !== "no" && { "x-replay": true }),
    ...(replay === "forced" && { "x-replay-forced": true }),
    ...(traceparent !== undefined && { traceparent }),
  };
}

function failureNotes(message: Message, queue: string, outcome: Failure, now: Date, mostBytes: number): Headers {
  const { message: error, stack } = describeError(outcome.error);
  return {
    "x-attempts": outcome.attempts,
    "x-error": cutBytes(error, mostBytes),
    "x-first-failure": firstFailureOf(message) ?? now.toISOString(),
    "x-last-failure": now.toISOString(),
    ...(outcome.action === "dead-letter" && { "x-reason": outcome.reason, "x-queue": queue }),
    ...(outcome.action === "dead-letter" && stack && { "x-stack": cutBytes(stack, mostBytes) }),
  };
}

/** Truncates text to `most` bytes of UTF-8 without splitting a character. */
function cutBytes(text: string, most: number): string {
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text;
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(most)).read);
}

/** Returns a header that lists the parts missing from the copy, including those that the message already lacked. */
function leftOutNote(leftOut: readonly string[], { properties }: Message): Headers {
  const before: unknown = properties.headers?.[leftOutHeader];
  const all = [...(typeof before === "string" && leftOut.length > 0 ? [before.slice(0, 255)] : []), ...leftOut];
  return all.length === 0 ? {} : { [leftOutHeader]: [...new Set(all)].join(", ") };
}

/** Returns the properties that a copy keeps, and the names of those that amqplib can read but not write. */
function propertiesOf({ properties }: Message): { properties: Options.Publish; leftOut: string[] } {
  const { messageId, type, timestamp, contentType, contentEncoding, correlationId, appId } = properties;
  const texts = Object.entries({ messageId, type, contentType, contentEncoding, correlationId, appId });
  const leftOut: string[] = [];
  const isSendable = (name: string, value: unknown, sendable: boolean) => {
    if (value !== undefined && !sendable) leftOut.push(name);
    return sendable;
  };
  // Measure in bytes: invalid UTF-8 was decoded into replacement characters, which are longer.
  const isShort = (text: unknown) => typeof text === "string" && Buffer.byteLength(text) <= 255;
  const kept = texts.filter(([name, value]) => isSendable(name, value, isShort(value)));
  const hasTime = isSendable("timestamp", timestamp, Number.isSafeInteger(timestamp) && timestamp >= 0);
  return { properties: { ...Object.fromEntries(kept), ...(hasTime && { timestamp }) }, leftOut };
}

/** Copies the body unchanged. The kept properties cannot make the copy expire or be refused. */
function copy({ content }: Message, target: string, properties: Options.Publish, headers: Headers): OutgoingMessage {
  const messageId = properties.messageId || Bun.randomUUIDv7();
  return { exchange: "", routingKey: target, content, options: { ...properties, messageId, persistent: true, headers } };
}
