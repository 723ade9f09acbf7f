import { checkQueueName } from "../delivery/consumer-options";
import { type Log, messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import { isUtcTime } from "../schema/time";
import type { Store } from "../store/store";
import { steadyNow } from "../timing/steady-time";
import {
  type Announcement,
  type AnyAnnouncement,
  longestAnnouncement,
  parseAnnouncement,
  type Removal,
  type RetryAnnouncement,
} from "./announcement";
import { type Proof, proofOf } from "./announcement-signature";
import { aborted } from "./channel";
import type { Broker, ConfirmChannel, ConsumeMessage } from "./connection";
import type { Refusals } from "./refusals";
import type { RabbitReplays } from "./replays";
import { bindOwnQueue, declareSubscriptionsQueue, isRefusal, queueDepth, retryQueueLifetimeMs, subscriptionsQueue } from "./topology";

export interface SubscriptionsOptions {
  readonly broker: Broker;
  readonly store: Pick<Store, "subscriptions" | "retryQueues">;
  readonly replays: Pick<RabbitReplays, "isFilling" | "fill" | "cancel" | "abandon">;
  readonly catalogue: Catalogue;
  readonly log: Log;
  /** What announcements are signed with. */
  readonly key: string | null;
  /** Whether only what is signed is taken. Else, consumers from before announcements were signed keep what they have. */
  readonly onlySigned: boolean;
  readonly refusals: Refusals;
}

const mostSubscriptions = 1000;
/** The delays of one queue; a consumer's own have steps. */
const mostRetryQueues = 100;

/**
 * Sees to consumers' own queues as they are announced, until the channel closes. An announcement is settled when that is done,
 * or when it is refused; trouble with one queue holds up no other.
 */
export async function serveSubscriptions(channel: ConfirmChannel, closed: AbortSignal, options: SubscriptionsOptions): Promise<void> {
  const { broker, log } = options;
  await declareSubscriptionsQueue(broker, log);
  await channel.prefetch(1);
  const failed = Promise.withResolvers<never>();
  await channel.consume(subscriptionsQueue, (message) => {
    // The queue was deleted; it is declared anew on the next channel.
    if (message === null) return failed.reject(new Error(`The queue ${subscriptionsQueue} was deleted`));
    serve(message, options).then(() => {
      if (!closed.aborted) channel.ack(message);
    }, failed.reject);
  });
  await Promise.race([failed.promise, aborted(closed)]);
}

async function serve(message: ConsumeMessage, options: SubscriptionsOptions): Promise<void> {
  const announcement = parseAnnouncement(message.content);
  const problem = announcement
    ? await take(announcement, proofOf(message, announcement, options.key, Date.now()), options)
    : message.content.length > longestAnnouncement
      ? `it has ${message.content.length} bytes, and may have ${longestAnnouncement}`
      : "it is not one that this version knows";
  const user: unknown = message.properties.userId;
  if (problem !== undefined) options.refusals.note(nameOf(announcement), problem, typeof user === "string" ? user : undefined);
}

function nameOf(announcement: AnyAnnouncement | undefined): string {
  if (!announcement) return "";
  if ("queue" in announcement) return announcement.queue;
  return "remove" in announcement ? announcement.remove : announcement.cancel;
}

/** Does what an announcement asks for. Returns why it is refused, if it is. */
async function take(announcement: AnyAnnouncement, proof: Proof, options: SubscriptionsOptions): Promise<string | undefined> {
  if ("unsigned" in proof && options.onlySigned) return proof.unsigned;
  try {
    if ("cancel" in announcement) return await takeCancellation(announcement.cancel, proof, options);
    if ("remove" in announcement) return await takeRemoval(announcement, proof, options);
    checkQueueName(announcement.queue);
    return await ("retryDelayMs" in announcement ? takeRetry(announcement, options) : takeSubscription(announcement, proof, options));
  } catch (error) {
    if (isRefusal(error) || (error instanceof Error && error.name === "ConsumerError")) return messageOf(error);
    throw error;
  }
}

async function takeSubscription(
  { queue, types, startFrom }: Announcement,
  proof: Proof,
  { broker, store, replays, catalogue, log }: SubscriptionsOptions,
): Promise<string | undefined> {
  if (catalogue.ownerOf(queue)) return `"${queue}" is shared by all its consumers`;
  if (startFrom !== "now" && startFrom !== "beginning" && !isUtcTime(startFrom))
    return "its `startFrom` is not a time as in RFC 3339, in UTC";
  const wanted = types.filter((type) => catalogue.resourceOf(type));
  if (wanted.length === 0) return "it names no event type that this API knows";

  const known = await store.subscriptions.find(queue);
  const isUnsigned = "unsigned" in proof;
  const isStale = !isUnsigned && proof.signedAt < (known?.signedAt ?? 0);
  const changes = !known || !haveSame(known.types, wanted);
  if (changes && isUnsigned) return `${proof.unsigned}, and so may not decide which events a queue gets`;
  if (changes && isStale) return "it is older than the last one of this queue: a copy, or look at the clock of its consumer's machine";
  if (!known && (await store.subscriptions.list()).length >= mostSubscriptions) return `${mostSubscriptions} queues are known already`;

  const depth = await queueDepth(broker, queue);
  if (isUnsigned) log.warn({ queue, problem: proof.unsigned }, "A consumer's announcement will be refused by the next version; update it");
  const lost = known?.types.filter((type) => !wanted.includes(type)) ?? [];
  if (lost.length > 0)
    log.warn({ queue, types: lost }, "The consumer of a queue does not ask for these events any more; the queue gets no more");
  const signedAt = isUnsigned || isStale ? (known?.signedAt ?? null) : proof.signedAt;
  await store.subscriptions.save({ queue, types: wanted, announcedAt: Date.now(), signedAt });
  if (replays.isFilling(queue)) return undefined;
  if (depth !== undefined) {
    await bindOwnQueue(broker, queue, new Set(wanted), catalogue.resources);
    return undefined;
  }
  if (isUnsigned) return `${proof.unsigned}, and so gets no past events`;
  if (isStale) return "it is older than the last one of this queue";
  log.info({ queue, types: wanted, startFrom }, "A new queue is filled from the event log");
  await replays.fill(queue, wanted, startFrom);
  return undefined;
}

function haveSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((type) => others.includes(type));
}

async function takeRetry(
  { queue, retryDelayMs: delayMs }: RetryAnnouncement,
  { store, catalogue }: SubscriptionsOptions,
): Promise<string | undefined> {
  if (!catalogue.ownerOf(queue) && !(await store.subscriptions.find(queue))?.types.length) return "no such queue was announced";
  const now = steadyNow();
  const others = (await store.retryQueues.list(now)).filter((retry) => retry.queue === queue && retry.delayMs !== delayMs);
  if (others.length >= mostRetryQueues) return `the queue has ${mostRetryQueues} queues for retries already`;
  await store.retryQueues.save({ queue, delayMs, expiresAt: now + retryQueueLifetimeMs(delayMs) });
  return undefined;
}

/** The row stays for a while, without types, so that an announcement of before, sent again by somebody, brings nothing back. */
async function takeRemoval(
  { remove: queue }: Removal,
  proof: Proof,
  { store, replays, log }: SubscriptionsOptions,
): Promise<string | undefined> {
  if ("unsigned" in proof) return proof.unsigned;
  const known = await store.subscriptions.find(queue);
  if (known?.signedAt && known.signedAt > proof.signedAt) return "the queue was announced after that";
  await replays.abandon(queue);
  await store.retryQueues.remove(queue);
  await store.subscriptions.save({ queue, types: [], announcedAt: Date.now(), signedAt: proof.signedAt });
  log.info({ queue }, "A queue was removed, as somebody has asked for");
  return undefined;
}

async function takeCancellation(id: string, proof: Proof, { replays }: SubscriptionsOptions): Promise<string | undefined> {
  if ("unsigned" in proof) return proof.unsigned;
  return (await replays.cancel(id)) ? undefined : "there is no such replay";
}
