import { ConsumerError } from "../delivery/consumer-error";
import { QueueUnavailable } from "../delivery/queue-errors";
import { checkQueueName } from "../delivery/queue-name";
import { NotCancellable, type Replays } from "../delivery/replays";
import { type Log, messageOf } from "../observe/logging";
import type { Catalogue } from "../schema/catalogue";
import { isUtcTime } from "../schema/time";
import type { Leadership } from "../store/leadership";
import type { QueueSubscription } from "../store/queue-store";
import type { Store } from "../store/store";
import { now, steadyNow } from "../timing/clock";
import { aborted } from "../timing/pause";
import {
  type Announcement,
  type AnyAnnouncement,
  longestAnnouncement,
  parseAnnouncement,
  type RemovalAnnouncement,
  type RetryAnnouncement,
} from "./announcement";
import { type Proof, proofOf } from "./announcement-signature";
import type { Broker, ConfirmChannel, ConsumeMessage } from "./connection";
import type { Conversions } from "./conversions";
import type { Refusals } from "./refusals";
import type { RabbitReplays } from "./replays";
import { isAccessDenied } from "./reply-code";
import { bindOwnQueue, declareSubscriptionsQueue, queueDepth, retryQueueLifetimeMs, subscriptionsQueue } from "./topology";

export interface AnnouncementsOptions {
  readonly broker: Broker;
  readonly store: Pick<Store, "subscriptions" | "retryQueues" | "schedules" | "find">;
  readonly replays: Pick<Replays, "cancel">;
  readonly fills: Pick<RabbitReplays, "isFilling" | "fill" | "abandon">;
  readonly conversions: Pick<Conversions, "begin" | "isConverting" | "abandon">;
  /** Called before a queue is bound. */
  readonly lookAt: (queue: string) => Promise<void>;
  readonly catalogue: Catalogue;
  readonly log: Log;
  /** Key that announcements are signed with. */
  readonly key: string | null;
  /** True to accept only signed announcements. If false, unsigned consumers of earlier versions keep the bindings they have. */
  readonly onlySigned: boolean;
  readonly refusals: Refusals;
}

/** Errors that concern one announcement, whose sender repeats it if it still needs it. */
const refusals = [ConsumerError, NotCancellable, QueueUnavailable];

const mostSubscriptions = 1000;
/** Maximum number of retry delays per queue. A consumer's own delays come in steps, so it needs fewer. */
const mostRetryQueues = 100;

/**
 * Handles announcements of consumers' own queues until the leadership ends. Acknowledges each one after it is done or refused. A problem
 * with one queue does not block the others. One process handles all of them, one after the other: two about the same queue must not meet.
 */
export async function handleAnnouncements(
  channel: ConfirmChannel,
  leadership: Pick<Leadership, "until" | "holds">,
  options: AnnouncementsOptions,
): Promise<void> {
  const { broker, log } = options;
  await declareSubscriptionsQueue(broker, log);
  await channel.prefetch(1);
  const failed = Promise.withResolvers<never>();
  await channel.consume(subscriptionsQueue, (message) => {
    // The queue was deleted; the next channel declares it again.
    if (message === null) return failed.reject(new Error(`The queue ${subscriptionsQueue} was deleted`));
    // The next leader gets it when this channel is closed.
    if (!leadership.holds()) return;
    handle(message, options).then(() => {
      if (leadership.holds()) channel.ack(message);
    }, failed.reject);
  });
  await Promise.race([failed.promise, aborted(leadership.until)]);
}

async function handle(message: ConsumeMessage, options: AnnouncementsOptions): Promise<void> {
  const announcement = parseAnnouncement(message.content);
  const problem = announcement
    ? await carryOut(announcement, proofOf(message, announcement, options.key, now()), options)
    : message.content.length > longestAnnouncement
      ? `it has ${message.content.length} bytes; the maximum is ${longestAnnouncement}`
      : "this version does not know its format";
  const user: unknown = message.properties.userId;
  if (problem !== undefined) options.refusals.note(nameOf(announcement), problem, typeof user === "string" ? user : undefined);
}

function nameOf(announcement: AnyAnnouncement | undefined): string {
  if (!announcement) return "";
  if ("queue" in announcement) return announcement.queue;
  if ("convert" in announcement) return announcement.convert;
  return "remove" in announcement ? announcement.remove : announcement.cancel;
}

/** Carries out an announcement. Returns the reason if it is refused. */
async function carryOut(announcement: AnyAnnouncement, proof: Proof, options: AnnouncementsOptions): Promise<string | undefined> {
  if ("unsigned" in proof && options.onlySigned) return proof.unsigned;
  try {
    if ("cancel" in announcement) return await cancel(announcement.cancel, proof, options);
    if ("remove" in announcement) return await remove(announcement, proof, options);
    if ("convert" in announcement) return "unsigned" in proof ? proof.unsigned : await options.conversions.begin(announcement.convert);
    checkQueueName(announcement.queue);
    return await ("retryDelayMs" in announcement ? keepRetryQueue(announcement, options) : subscribe(announcement, proof, options));
  } catch (error) {
    if (isAccessDenied(error) || refusals.some((refusal) => error instanceof refusal)) return messageOf(error);
    throw error;
  }
}

/** Saves which events a consumer's own queue gets, and binds it. Fills a queue that does not exist yet from the event log. */
async function subscribe(announcement: Announcement, proof: Proof, options: AnnouncementsOptions): Promise<string | undefined> {
  const { broker, store, fills, conversions, lookAt, catalogue } = options;
  const { queue } = announcement;
  const types = announcement.types.filter((type) => catalogue.eventType(type));
  const mistake = mistakeIn(announcement, types, catalogue);
  if (mistake !== undefined) return mistake;
  const known = await store.subscriptions.find(queue);
  const doubt = doubtOf(proof, known);
  if (doubt && !haveSame(known?.types ?? [], types)) return doubt.aboutEvents;
  if (!known && (await store.subscriptions.list()).length >= mostSubscriptions) return `there are already ${mostSubscriptions} queues`;

  const depth = await queueDepth(broker, queue);
  warnOfSubscription(queue, types, proof, known, options.log);
  const signedAt = !doubt && "signedAt" in proof ? proof.signedAt : (known?.signedAt ?? null);
  await store.subscriptions.save({ queue, types, announcedAt: now(), signedAt });
  if (await fills.isFilling(queue)) return undefined;
  // It exists again in a moment, with its events.
  if (depth === undefined && (await conversions.isConverting(queue))) return undefined;
  if (depth === undefined) return doubt ? doubt.aboutPast : await fill(queue, types, await startOf(announcement, store), options);
  await lookAt(queue);
  await bindOwnQueue(broker, queue, new Set(types), catalogue.resources);
  return undefined;
}

function mistakeIn({ queue, startFrom }: Announcement, types: readonly string[], catalogue: Catalogue): string | undefined {
  if (catalogue.ownerOf(queue)) return `"${queue}" is shared by all its consumers`;
  if (startFrom !== "now" && startFrom !== "beginning" && !isUtcTime(startFrom)) return "its `startFrom` is not an RFC 3339 time in UTC";
  return types.length === 0 ? "it names no event type that this API knows" : undefined;
}

/** Returns why an announcement cannot decide which events a queue gets, or whether it gets past ones. Undefined if it can. */
function doubtOf(proof: Proof, known: QueueSubscription | undefined): { aboutEvents: string; aboutPast: string } | undefined {
  if ("unsigned" in proof) {
    const { unsigned } = proof;
    return {
      aboutEvents: `${unsigned}, so it cannot decide which events a queue gets`,
      aboutPast: `${unsigned}, so the queue gets no past events`,
    };
  }
  if (proof.signedAt >= (known?.signedAt ?? 0)) return undefined;
  const aboutPast = "it is older than the last one of this queue";
  return { aboutEvents: `${aboutPast}: it is a copy, or the clock of its consumer's machine is wrong`, aboutPast };
}

function warnOfSubscription(queue: string, types: readonly string[], proof: Proof, known: QueueSubscription | undefined, log: Log): void {
  if ("unsigned" in proof)
    log.warn({ queue, problem: proof.unsigned }, "The next version will refuse this consumer's announcement; update the consumer");
  const lost = known?.types.filter((type) => !types.includes(type)) ?? [];
  if (lost.length > 0)
    log.warn({ queue, types: lost }, "The consumer of a queue no longer subscribes to these events; the queue no longer gets them");
}

/** Resolves with where a new queue begins. That of a schedule begins with its last event, if it is not done: the next one waits for it. */
async function startOf({ queue, startFrom }: Announcement, { schedules, find }: Pick<Store, "schedules" | "find">): Promise<string> {
  const schedule = await schedules.find(queue);
  const outstanding = schedule?.isDone === false && schedule.lastTick !== null ? await find(schedule.lastTick) : undefined;
  return outstanding?.timestamp ?? startFrom;
}

async function fill(queue: string, types: string[], startFrom: string, { fills, log }: AnnouncementsOptions): Promise<undefined> {
  log.info({ queue, types, startFrom }, "Filling a new queue from the event log");
  await fills.fill(queue, types, startFrom);
}

function haveSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((type) => others.includes(type));
}

async function keepRetryQueue(
  { queue, retryDelayMs: delayMs }: RetryAnnouncement,
  { store, catalogue }: AnnouncementsOptions,
): Promise<string | undefined> {
  if (!catalogue.ownerOf(queue) && !(await store.subscriptions.find(queue))?.types.length) return "no such queue was announced";
  const now = steadyNow();
  const others = (await store.retryQueues.list(now)).filter((retry) => retry.queue === queue && retry.delayMs !== delayMs);
  if (others.length >= mostRetryQueues) return `the queue already has ${mostRetryQueues} retry queues`;
  await store.retryQueues.save({ queue, delayMs, expiresAt: now + retryQueueLifetimeMs(delayMs) });
  return undefined;
}

/** Removes a queue. Its row stays for a while, without types, so that a resent older announcement cannot restore the queue. */
async function remove(
  { remove: queue }: RemovalAnnouncement,
  proof: Proof,
  { store, fills, conversions, log }: AnnouncementsOptions,
): Promise<string | undefined> {
  if ("unsigned" in proof) return proof.unsigned;
  const known = await store.subscriptions.find(queue);
  if (known?.signedAt && known.signedAt > proof.signedAt) return "the queue was announced later";
  await fills.abandon(queue);
  conversions.abandon(queue);
  await store.retryQueues.remove(queue);
  await store.subscriptions.save({ queue, types: [], announcedAt: now(), signedAt: proof.signedAt });
  log.info({ queue }, "Removed a queue on request");
  return undefined;
}

async function cancel(id: string, proof: Proof, { replays }: AnnouncementsOptions): Promise<string | undefined> {
  if ("unsigned" in proof) return proof.unsigned;
  return (await replays.cancel(id)) ? undefined : "there is no such replay";
}
