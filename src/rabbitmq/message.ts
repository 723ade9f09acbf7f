import { resourceName } from "../schema/event";
import { queueOfTick } from "../schema/tick";
import type { LogEntry } from "../store/log";
import type { Options } from "./connection";

/** Message to publish. */
export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish & { messageId: string };
}

/**
 * Converts an event to a message for all queues that are to get it: that of its schedule, or those that are bound to its type.
 *
 * @param exchangeOf returns the exchange of an event type.
 */
export function routedMessage(entry: LogEntry, exchangeOf: (eventType: string) => string): OutgoingMessage {
  const queue = queueOfTick(entry);
  return queue === undefined ? toMessage(entry, exchangeOf(entry.type)) : { ...toMessage(entry, ""), routingKey: queue };
}

/**
 * Converts an event to a message. The headers are the CloudEvents 1.0 attributes with the prefix of its AMQP binding, and the W3C
 * `traceparent` if there is one.
 */
export function toMessage(entry: LogEntry, exchange: string): OutgoingMessage {
  const seconds = Math.floor(Date.parse(entry.timestamp) / 1000);
  const resource = resourceName(entry.type);
  return {
    exchange,
    routingKey: entry.type,
    content: Buffer.from(entry.body),
    options: {
      messageId: entry.id,
      type: entry.type,
      // An invalid time, as in a database edited by hand, cannot be encoded and would block the log.
      ...(seconds >= 0 && { timestamp: seconds }),
      contentType: "application/json",
      persistent: true,
      headers: {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": entry.id,
        "cloudEvents:type": entry.type,
        "cloudEvents:source": `/${resource}`,
        "cloudEvents:subject": String(entry.subject),
        "cloudEvents:time": entry.timestamp,
        ...(entry.traceparent !== null && { traceparent: entry.traceparent }),
      },
    },
  };
}
