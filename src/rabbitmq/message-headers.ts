import { validTraceparent } from "../observe/traceparent";
import type { MessageOrigin } from "../observe/tracing";
import { utcTimeIn } from "../schema/time";
import type { ReplayMark } from "../store/replay";
import type { Message } from "./connection";

/** Returns how often a handler has failed on a message; 0 for an invalid header. */
export function failuresOf({ properties }: Message): number {
  const value: unknown = properties.headers?.["x-attempts"];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

export function replayMarkOf({ properties }: Message): ReplayMark {
  const { headers } = properties;
  if (headers?.["x-replay"] !== true) return "no";
  return headers["x-replay-forced"] === true ? "forced" : "yes";
}

/** Returns the content encoding set by the publisher. */
export function encodingOf({ properties }: Message): string | undefined {
  const value: unknown = properties.contentEncoding;
  return typeof value === "string" ? value : undefined;
}

/** Returns whether the message was redriven: put back on its queue after it was a dead letter. */
export function isRedriven({ properties }: Message): boolean {
  return properties.headers?.["x-redriven"] === true;
}

/** Returns the source of a message, in the terms of OpenTelemetry's semantic conventions for RabbitMQ. */
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

/** Returns the W3C trace context of a message, if it has a valid one. */
export function traceparentOf({ properties }: Message): string | undefined {
  return validTraceparent(properties.headers?.["traceparent"]);
}

/** Returns the time of the first failure; null if the message does not have one. */
export function firstFailureOf({ properties }: Message): string | null {
  return utcTimeIn(properties.headers?.["x-first-failure"]);
}

/** Returns the time of the last failure; null if the message does not have one. */
export function lastFailureOf({ properties }: Message): string | null {
  return utcTimeIn(properties.headers?.["x-last-failure"]);
}

/** Returns how often a quorum queue has delivered a message without a settlement; 0 on other queues, which do not count. */
export function requeuesOf({ properties }: Message): number {
  const value: unknown = properties.headers?.["x-delivery-count"];
  return typeof value === "number" ? value : 0;
}

/** Returns a key that distinguishes messages, even if a publisher reused an ID or one message is a replay of the other. */
export function identityOf(message: Message): string {
  return `${message.properties.messageId}:${replayMarkOf(message)}:${Bun.hash(message.content)}`;
}
