import { type Static, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { Consumer } from "../delivery/consumer-options";
import type { Log } from "../observe/logging";
import type { Broker, ConfirmChannel } from "./connection";
import { Publisher } from "./publisher";
import { declareOwnQueue, declareResources, declareSubscriptionsQueue, queueDepth, subscriptionsQueue } from "./topology";

/** What a consumer tells the service about its queue. */
export const Announcement = Type.Object({
  queue: Type.String(),
  types: Type.Array(Type.String()),
  /** ISO 8601 where it is neither of the words. */
  startFrom: Type.String(),
});
export type Announcement = Static<typeof Announcement>;

/** What a consumer tells the service when events begin to wait for a retry: nobody can ask RabbitMQ where they do. */
export const RetryAnnouncement = Type.Object({
  queue: Type.String(),
  /** At most a day. */
  retryDelayMs: Type.Integer({ minimum: 1, maximum: 86_400_000 }),
});
export type RetryAnnouncement = Static<typeof RetryAnnouncement>;

const check = TypeCompiler.Compile(Type.Union([Announcement, RetryAnnouncement]));

/** Undefined for anything that is none. */
export function parseAnnouncement(content: Uint8Array): Announcement | RetryAnnouncement | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(content));
    return check.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const lookEveryMs = 250;

/**
 * Sees to it that the consumer's queue is there, with its bindings. A new queue that begins in the past is made, filled
 * and bound by the service: it alone has the past, and knows where past and present meet.
 */
export async function attachQueue(broker: Broker, channel: ConfirmChannel, closed: AbortSignal, consumer: Consumer): Promise<void> {
  const { queue, catalogue, wanted, temporary, startFrom, log } = consumer;
  const owner = catalogue.ownerOf(queue);
  if (owner) return declareResources(broker, [owner], log);
  if (temporary) return declareOwnQueue(broker, queue, wanted, catalogue.resources, { temporary }, log);
  if (startFrom === "now") await declareOwnQueue(broker, queue, wanted, catalogue.resources, { temporary }, log);

  await declareSubscriptionsQueue(broker, log);
  await announce(channel, {
    queue,
    types: [...wanted],
    startFrom: startFrom instanceof Date ? startFrom.toISOString() : startFrom,
  });
  for (let told = false; !closed.aborted && (await queueDepth(broker, queue)) === undefined; told = true) {
    if (!told) log.info({ queue }, "Waiting for the API to make this queue and fill it from its log: start it with `bun run dev`");
    await Bun.sleep(lookEveryMs);
  }
}

/** Tells the service of a queue for retries, over a channel of its own. */
export async function announceRetryQueue(broker: Broker, announcement: RetryAnnouncement, log: Log): Promise<void> {
  await declareSubscriptionsQueue(broker, log);
  await broker.withConfirmChannel((channel) => announce(channel, announcement));
}

async function announce(channel: ConfirmChannel, announcement: Announcement | RetryAnnouncement): Promise<void> {
  await new Publisher(channel).publish({
    exchange: "",
    routingKey: subscriptionsQueue,
    content: Buffer.from(JSON.stringify(announcement)),
    options: { messageId: Bun.randomUUIDv7(), type: "warren.subscription", contentType: "application/json", persistent: true },
  });
}
