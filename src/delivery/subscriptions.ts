import { aborted, type Broker, type ConfirmChannel } from "../broker/connection";
import { bindOwnQueue, declareSubscriptionsQueue, queueDepth, retryQueueLifetimeMs, subscriptionsQueue } from "../broker/topology";
import type { Catalogue } from "../domain/catalogue";
import { isUtcTime } from "../domain/time";
import { type Log, messageOf } from "../observe/logging";
import { steadyNow } from "../store/steady-time";
import type { Store } from "../store/store";
import { type Announcement, parseAnnouncement, type RetryAnnouncement } from "./announcement";
import { checkQueueName } from "./consumer-options";
import type { RabbitReplays } from "./rabbit-replays";

export interface SubscriptionsOptions {
  readonly broker: Broker;
  readonly store: Pick<Store, "subscriptions" | "retryQueues">;
  readonly replays: Pick<RabbitReplays, "isFilling" | "fill">;
  readonly catalogue: Catalogue;
  readonly log: Log;
}

export interface RestoreOptions extends Pick<SubscriptionsOptions, "broker" | "catalogue" | "log"> {
  readonly store: Pick<Store, "subscriptions" | "replays">;
}

/** Sees to consumers' own queues as they are announced, until the channel closes. An announcement is settled when that is done. */
export async function serveSubscriptions(channel: ConfirmChannel, closed: AbortSignal, options: SubscriptionsOptions): Promise<void> {
  const { broker, log } = options;
  await declareSubscriptionsQueue(broker, log);
  await channel.prefetch(1);
  const failed = Promise.withResolvers<never>();
  await channel.consume(subscriptionsQueue, (message) => {
    // The queue was deleted; it is declared anew on the next channel.
    if (message === null) return failed.reject(new Error(`The queue ${subscriptionsQueue} was deleted`));
    serve(parseAnnouncement(message.content), options).then(() => {
      if (!closed.aborted) channel.ack(message);
    }, failed.reject);
  });
  await Promise.race([failed.promise, aborted(closed)]);
}

async function serve(
  announcement: Announcement | RetryAnnouncement | undefined,
  { broker, store, replays, catalogue, log }: SubscriptionsOptions,
): Promise<void> {
  const problem = announcement ? problemOf(announcement, catalogue) : "it is not one";
  if (!announcement || problem) return log.warn({ announcement, problem }, "A consumer's announcement was dropped");
  const { queue } = announcement;
  if ("retryDelayMs" in announcement) {
    const delayMs = announcement.retryDelayMs;
    return store.retryQueues.save({ queue, delayMs, expiresAt: steadyNow() + retryQueueLifetimeMs(delayMs) });
  }
  const { startFrom } = announcement;
  const types = announcement.types.filter((type) => catalogue.resourceOf(type));
  await store.subscriptions.save({ queue, types });
  if (replays.isFilling(queue)) return;
  if ((await queueDepth(broker, queue)) !== undefined) return bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
  // The consumer makes that queue itself; it is gone again.
  if (startFrom === "now") return;
  log.info({ queue, types, startFrom }, "A new queue is filled from the event log");
  await replays.fill(queue, types, startFrom === "beginning" ? null : startFrom);
}

function problemOf(announcement: Announcement | RetryAnnouncement, catalogue: Catalogue): string | undefined {
  const { queue } = announcement;
  try {
    checkQueueName(queue);
  } catch (error) {
    return messageOf(error);
  }
  if ("retryDelayMs" in announcement) return undefined;
  const { startFrom } = announcement;
  if (catalogue.ownerOf(queue)) return `"${queue}" is shared by all its consumers`;
  if (startFrom === "now" || startFrom === "beginning" || isUtcTime(startFrom)) return undefined;
  return `"${startFrom}" is not a time as in RFC 3339, in UTC`;
}

/**
 * Binds consumers' own queues to what they have asked for. To be called before events are sent over a new connection: a
 * RabbitMQ that was killed may have forgotten a binding that it confirmed a moment before, and what it has no binding for
 * would not reach that queue. Trouble with one queue is a warning, and holds up no other.
 */
export async function restoreBindings(closed: AbortSignal, { broker, store, catalogue, log }: RestoreOptions): Promise<void> {
  const filled = new Set((await store.replays.unfinished()).filter(({ fill }) => fill === 1).map(({ queue }) => queue));
  for (const { queue, types } of await store.subscriptions.list()) {
    if (closed.aborted) return;
    // One that is filled is bound at the end of that.
    if (filled.has(queue)) continue;
    try {
      // One that is gone is made and filled when its consumer asks for it again.
      if ((await queueDepth(broker, queue)) === undefined) continue;
      await bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
    } catch (error) {
      log.warn({ queue, error: messageOf(error) }, "The bindings of a queue could not be restored");
    }
  }
}
