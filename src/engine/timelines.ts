import type { DeadLetters } from "../delivery/dead-letters";
import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { type ConsumerTimeline, type Timeline, timelineOf } from "../delivery/timeline";
import { embeddedTimeline } from "../embedded/timeline";
import { type Dead, rabbitTimeline } from "../rabbitmq/timeline";
import type { Catalogue } from "../schema/catalogue";
import { isForQueue } from "../schema/tick";
import type { ConsumerHistory } from "../store/consumer/history";
import type { ConsumerStores } from "../store/consumer/stores";
import type { LogEntry } from "../store/log";
import type { QueueSubscription } from "../store/queue-store";
import type { Store } from "../store/store";
import { relatedTo } from "./causes";

/** Maximum number of dead letters to search in a queue. RabbitMQ can only be searched one dead letter at a time. */
const mostDeadLetters = 10_000;

export interface TimelineSources {
  readonly store: Pick<Store, "find" | "causedBy" | "logId">;
  readonly consumers: ConsumerStores;
  /** Undefined on the embedded transport. */
  readonly rabbitmq:
    | { readonly deadLetters: DeadLetters; readonly catalogue: Catalogue; subscriptions(): Promise<readonly QueueSubscription[]> }
    | undefined;
}

/**
 * Collects what is known of an event. Resolves with undefined if no event has this id.
 *
 * @param isVisible returns whether to show an event that caused it, or that it caused. Default: all.
 */
export async function findTimeline(
  { store, consumers: stores, rabbitmq }: TimelineSources,
  id: string,
  isVisible: (event: LogEntry) => boolean = () => true,
): Promise<Timeline | undefined> {
  const event = await store.find(id);
  if (!event) return undefined;
  const historyOf = (queue: string) => stores.history(queue, store.logId, id);
  const consumers: ConsumerTimeline[] = [];
  const mayHave = (queue: string) => isForQueue(queue, event);
  const queues = rabbitmq ? (await queuesOf(rabbitmq, event.type)).filter(mayHave) : [];
  const depths = rabbitmq && (await depthsOf(rabbitmq.deadLetters));
  for (const queue of queues) {
    const dead = rabbitmq && depths ? await deadOf(rabbitmq.deadLetters, depths, queue, id) : [];
    consumers.push(rabbitTimeline(queue, event, (await stores.has(queue)) ? await historyOf(queue) : undefined, dead));
  }
  for (const queue of (await stores.queues()).filter((queue) => !queues.includes(queue) && mayHave(queue))) {
    const history = await historyOf(queue);
    // On RabbitMQ, a file of a queue that does not get such events may be from before RabbitMQ was used.
    const told = !rabbitmq || hasEvent(history) ? embeddedTimeline(queue, event, history) : undefined;
    if (told) consumers.push(told);
  }
  consumers.sort((a, b) => (a.queue < b.queue ? -1 : 1));
  return timelineOf(event, rabbitmq ? "rabbitmq" : "embedded", await relatedTo(store, event, isVisible), consumers);
}

async function queuesOf({ catalogue, subscriptions }: NonNullable<TimelineSources["rabbitmq"]>, type: string): Promise<string[]> {
  const shared = catalogue.resourceOf(type)?.queue;
  const own = (await subscriptions()).filter(({ types }) => types.includes(type)).map(({ queue }) => queue);
  return [...new Set([...(shared === undefined ? [] : [shared]), ...own])];
}

function hasEvent({ waiting, dead, inboxAt, attempts }: ConsumerHistory): boolean {
  return waiting !== undefined || dead !== undefined || inboxAt !== undefined || attempts.length > 0;
}

type Depths = ReadonlyMap<string, number> | string;

async function depthsOf(deadLetters: DeadLetters): Promise<Depths> {
  try {
    return new Map((await deadLetters.queues()).map(({ queue, count }) => [queue, count]));
  } catch (error) {
    return reasonOf(error);
  }
}

async function deadOf(deadLetters: DeadLetters, depths: Depths, queue: string, id: string): Promise<Dead> {
  if (typeof depths === "string") return depths;
  const depth = depths.get(queue) ?? 0;
  if (depth === 0) return [];
  if (depth > mostDeadLetters) return `the queue has ${depth} dead letters, too many to search here`;
  try {
    return (await deadLetters.list(queue, { ids: [id] }, 0, 100)).deadLetters;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof QueueUnavailable || error instanceof UnknownQueue) return error.message;
  throw error;
}
