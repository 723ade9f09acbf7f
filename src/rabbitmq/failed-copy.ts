import { validTraceparent } from "../observe/traceparent";
import type { MessageOrigin } from "../observe/tracing";
import { utcTimeIn } from "../schema/time";
import type { ReplayMark } from "../store/replay";
import type { Message } from "./connection";

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
export function originOf(message: Message, { queue, temporary }: { queue: string; temporary: boolean }): MessageOrigin {
  const { exchange, routingKey } = message.fields;
  const { messageId } = message.properties;
  return {
    system: "rabbitmq",
    destination: [exchange, routingKey, queue].filter((part, index, all) => part && all.indexOf(part) === index).join(":"),
    temporary,
    id: typeof messageId === "string" && messageId ? messageId : undefined,
    traceparent: traceparentOf(message),
  };
}

/** The W3C trace context of a message, if it has a valid one. */
export function traceparentOf({ properties }: Message): string | undefined {
  return validTraceparent(properties.headers?.["traceparent"]);
}

/** When the message failed first; null if it does not say so. */
export function firstFailureOf({ properties }: Message): string | null {
  return utcTimeIn(properties.headers?.["x-first-failure"]);
}

/** When the message failed last; null if it does not say so. */
export function lastFailureOf({ properties }: Message): string | null {
  return utcTimeIn(properties.headers?.["x-last-failure"]);
}

/** How often a quorum queue has delivered a message without its being settled; other queues do not say. */
export function requeuesOf({ properties }: Message): number {
  const value: unknown = properties.headers?.["x-delivery-count"];
  return typeof value === "number" ? value : 0;
}

/** Tells one message from another, also where a publisher gave both the same id, or where one is a replay of the other. */
export function identityOf(message: Message): string {
  return `${message.properties.messageId}:${replayMarkOf(message)}:${Bun.hash(message.content)}`;
}
