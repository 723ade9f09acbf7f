import { describeError, type Failure } from "../delivery/outcome";
import { validTraceparent } from "../observe/traceparent";
import type { MessageOrigin } from "../observe/tracing";
import { isUtcTime } from "../schema/time";
import type { ReplayMark } from "../store/replay";
import type { Message } from "./connection";
import type { OutgoingMessage } from "./message";

/** A date as RabbitMQ's headers carry it here is text: at most this long. */
const maxDateLength = 40;

/** How often a handler has failed on a message; a header that makes no sense counts as none. */
export function failuresOf({ properties }: Message): number {
  const value: unknown = properties.headers?.["x-attempts"];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

export function replayMarkOf({ properties }: Message): ReplayMark {
  const { headers } = properties;
  if (headers?.["x-replay"] !== true) return "no";
  return headers["x-replay-forced"] === true ? "forced" : "yes";
}

/** What its publisher says of the body's encoding. */
export function encodingOf({ properties }: Message): string | undefined {
  const value: unknown = properties.contentEncoding;
  return typeof value === "string" ? value : undefined;
}

/** Whether somebody has put it back on its queue. */
export function isRedriven({ properties }: Message): boolean {
  return properties.headers?.["x-redriven"] === true;
}

/** Where a message comes from, in the words of OpenTelemetry's conventions for RabbitMQ. */
export function originOf({ fields, properties }: Message, { queue, temporary }: { queue: string; temporary: boolean }): MessageOrigin {
  const { exchange, routingKey } = fields;
  const { messageId, headers } = properties;
  return {
    system: "rabbitmq",
    destination: [exchange, routingKey, queue].filter((part, index, all) => part && all.indexOf(part) === index).join(":"),
    temporary,
    id: typeof messageId === "string" && messageId ? messageId : undefined,
    traceparent: validTraceparent(headers?.["traceparent"]),
  };
}

/** When the message failed first, if it says so. */
export function firstFailureOf(message: Message): string | undefined {
  return timeIn(message, "x-first-failure");
}

/** When the message failed last, if it says so. */
export function lastFailureOf(message: Message): string | undefined {
  return timeIn(message, "x-last-failure");
}

function timeIn({ properties }: Message, header: string): string | undefined {
  const value: unknown = properties.headers?.[header];
  return typeof value === "string" && value.length <= maxDateLength && isUtcTime(value) ? value : undefined;
}

/** The headers with which this program marks a message that failed. */
export const failureHeaders = ["x-attempts", "x-error", "x-first-failure", "x-last-failure", "x-reason", "x-queue", "x-stack"] as const;

/** How often a quorum queue has delivered a message without its being settled; other queues do not say. */
export function requeuesOf({ properties }: Message): number {
  const value: unknown = properties.headers?.["x-delivery-count"];
  return typeof value === "number" ? value : 0;
}

/**
 * The broker's own notes of earlier returns; and `CC` and `BCC`, which would send the copy elsewhere as well
 * (RabbitMQ's sender-selected distribution).
 */
const droppedHeader = /^(x-death|x-(first|last)-death-.*|x-delivery-count|CC|BCC)$/;

/** A copy of a message for where it waits or rests, with what became of it in the headers. */
export function copyOf(
  message: Message,
  target: string,
  queue: string,
  outcome: Failure,
  now: Date,
  options: { withoutItsHeaders?: boolean } = {},
): OutgoingMessage {
  const { message: error, stack } = describeError(outcome.error);
  return withHeaders(message, target, {
    ...(!options.withoutItsHeaders && keptHeaders(message)),
    "x-attempts": outcome.attempts,
    "x-error": error,
    "x-first-failure": firstFailureOf(message) ?? now.toISOString(),
    "x-last-failure": now.toISOString(),
    ...(outcome.action === "dead-letter" && { "x-reason": outcome.reason, "x-queue": queue, ...(stack && { "x-stack": stack }) }),
  });
}

/** A copy of a dead letter for its queue: its attempts start anew. */
export function revivedCopyOf(message: Message, queue: string): OutgoingMessage {
  const headers = keptHeaders(message);
  for (const name of failureHeaders) delete headers[name];
  return withHeaders(message, queue, { ...headers, "x-redriven": true });
}

/** A copy of a message for its queue, as it came. */
export function unhandledCopyOf(message: Message, queue: string): OutgoingMessage {
  return withHeaders(message, queue, keptHeaders(message));
}

function keptHeaders({ properties }: Message): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties.headers ?? {}).filter(([name]) => !droppedHeader.test(name)));
}

/** Copies body and properties, without those that would make the copy expire or be refused. */
function withHeaders(message: Message, target: string, headers: Record<string, unknown>): OutgoingMessage {
  const { messageId, type, timestamp, contentType, contentEncoding, correlationId, appId } = message.properties;
  return {
    exchange: "",
    routingKey: target,
    content: message.content,
    options: {
      messageId: messageId || Bun.randomUUIDv7(),
      type,
      timestamp,
      contentType,
      contentEncoding,
      correlationId,
      appId,
      persistent: true,
      headers,
    },
  };
}
