import { type Log, messageOf } from "../observe/logging";
import { typesWithErasure } from "../schema/erasure";
import { resourceName } from "../schema/event";
import type { Resource } from "../schema/resource";
import type { Broker, Replies } from "./connection";
import { declareQueue, queueDown } from "./declare-queue";
import { isNotFound, isPreconditionFailed, isQueueDown } from "./reply-code";

/**
 * Number of deliveries without a settlement after which a quorum queue gives an event up. Each crash and lost connection of a consumer counts
 * for all events in its hands, so the 20 that RabbitMQ 4 sets by default could be used up by events that others delay.
 */
const deliveryLimit = 100;
/** A delivery limit that is never reached. RabbitMQ 4 has none at -1, but RabbitMQ 3 then gives up a message at its first redelivery. */
const noDeliveryLimit = 2 ** 31 - 1;

/** Declares the topology that publishing needs: the exchange of every resource, and its durable queue `<name>_events`. */
export async function declareResources(broker: Broker, resources: readonly Resource[], log: Log): Promise<void> {
  for (const { name, exchange, queue } of resources) {
    await declareEventQueue(broker, log, exchange, queue, `${name}.*`);
  }
}

/** Declares a queue for events of a resource that this program no longer has, so that events in the log can still be routed. */
export function declareQueueForType(broker: Broker, eventType: string, exchange: string, log: Log): Promise<void> {
  return declareEventQueue(broker, log, exchange, sharedQueueOf(eventType), `${resourceName(eventType)}.*`);
}

/** Returns the default queue of an event type whose resource this program no longer has. */
export function sharedQueueOf(eventType: string): string {
  return `${resourceName(eventType)}_events`;
}

async function declareEventQueue(broker: Broker, log: Log, exchange: string, queue: string, pattern: string): Promise<void> {
  await declareExchange(broker, exchange);
  await declareDurableQueue(broker, queue, log);
  await broker.withChannel((channel) => channel.bindQueue(queue, exchange, pattern));
}

/** Declares a queue that lives as long as the process, bound to the types it asks for. */
export async function declareTemporaryQueue(
  broker: Broker,
  queue: string,
  wanted: ReadonlySet<string>,
  resources: readonly Resource[],
  log: Log,
): Promise<void> {
  await declareQueue(broker, queue, { durable: false, exclusive: true }, log);
  await bindOwnQueue(broker, queue, wanted, resources);
}

/** Binds a consumer's own queue to the types it asks for, and unbinds it from any other type that the program knows. */
export async function bindOwnQueue(
  broker: Broker,
  queue: string,
  wanted: ReadonlySet<string>,
  resources: readonly Resource[],
): Promise<void> {
  for (const exchange of new Set(resources.map((resource) => resource.exchange))) await declareExchange(broker, exchange);
  await broker.withChannel(async (channel) => {
    for (const resource of resources) {
      const { exchange } = resource;
      for (const type of typesWithErasure(resource)) {
        // Unbinding a missing binding is not an error. An earlier run may have had a wider filter.
        if (wanted.has(type)) await channel.bindQueue(queue, exchange, type);
        else await channel.unbindQueue(queue, exchange, type);
      }
    }
  });
}

/**
 * Declares the queue where a message waits `delayMs` for its next attempt, and resolves with its name. The message then returns to `queue`
 * only. It is a quorum queue, since dead-lettering from a classic one can lose a message if the broker crashes. The queue expires when
 * unused; declaring it again before each use keeps it from expiring with a message in it.
 */
export async function declareRetryQueue(broker: Broker, queue: string, delayMs: number, log: Log): Promise<string> {
  const name = retryQueueOf(queue, delayMs);
  const args = {
    "x-queue-type": "quorum",
    "x-message-ttl": delayMs,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": queue,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
    "x-expires": retryQueueLifetimeMs(delayMs),
  };
  await declareQueue(broker, name, { arguments: args }, log);
  return name;
}

export function retryQueueOf(queue: string, delayMs: number): string {
  return `${queue}.retry.${delayMs}`;
}

/** Returns how long a retry queue exists after its last declaration, in milliseconds. */
export function retryQueueLifetimeMs(delayMs: number): number {
  return delayMs * 2 + 300_000;
}

/** Declares the dead-letter queue of a queue, and resolves with its name. */
export async function declareDeadQueue(broker: Broker, queue: string, log: Log): Promise<string> {
  const name = deadQueueOf(queue);
  await declareKeepingQueue(broker, name, log);
  return name;
}

/**
 * Declares the queue in which the events of another one are kept while a quorum queue takes the place of that one, and resolves with its
 * name. Warren alone uses it.
 */
export async function declareConvertingQueue(broker: Broker, queue: string, log: Log): Promise<string> {
  const name = convertingQueueOf(queue);
  await declareKeepingQueue(broker, name, log);
  return name;
}

export function convertingQueueOf(queue: string): string {
  return `${queue}.converting`;
}

/** Declares a queue from which RabbitMQ never gives up a message. */
async function declareKeepingQueue(broker: Broker, queue: string, log: Log, how = {}): Promise<void> {
  const args = { "x-queue-type": "quorum", "x-delivery-limit": noDeliveryLimit };
  await declareQueue(broker, queue, broker.queueType === "quorum" ? { arguments: args } : {}, log, how);
}

export function deadQueueOf(queue: string): string {
  return `${queue}.dead`;
}

/** Queue to which consumers announce their own queue, the event types it needs, and their retry queues. */
export const subscriptionsQueue = "warren.subscriptions";

export async function declareSubscriptionsQueue(broker: Broker, log: Log): Promise<void> {
  await declareKeepingQueue(broker, subscriptionsQueue, log, { replacesUnused: true });
}

/**
 * Declares a durable queue for events. A classic one has no arguments, so that any program can share it. What RabbitMQ gives up
 * of a quorum queue becomes a dead letter.
 */
export async function declareDurableQueue(broker: Broker, queue: string, log: Log): Promise<void> {
  if (broker.queueType !== "quorum") return declareQueue(broker, queue, {}, log);
  const args = {
    "x-queue-type": "quorum",
    "x-delivery-limit": deliveryLimit,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": await declareDeadQueue(broker, queue, log),
    "x-dead-letter-strategy": "at-least-once",
    // The at-least-once strategy requires it. Without a length limit, it refuses nothing.
    "x-overflow": "reject-publish",
  };
  await declareQueue(broker, queue, { arguments: args }, log);
}

/** Deletes a queue and its messages. A missing queue is not an error. */
export async function deleteQueue(broker: Broker, queue: string): Promise<void> {
  await broker.withChannel((channel) => channel.deleteQueue(queue));
}

/** Resolves with the number of ready messages in a queue; undefined if it does not exist. */
export async function queueDepth(broker: Broker, queue: string): Promise<number | undefined> {
  return (await queueState(broker, queue))?.messageCount;
}

/**
 * Resolves with the number of ready messages and consumers of a queue; undefined if it does not exist.
 *
 * @throws {QueueUnavailable} if it exists on a node that is down.
 */
export async function queueState(broker: Pick<Broker, "withChannel">, queue: string): Promise<Replies.AssertQueue | undefined> {
  try {
    return await broker.withChannel((channel) => channel.checkQueue(queue));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw isQueueDown(error) ? queueDown(queue, error) : error;
  }
}

async function declareExchange(broker: Broker, exchange: string): Promise<void> {
  try {
    await broker.withChannel((channel) => channel.assertExchange(exchange, "topic", { durable: true }));
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
    const [, property, value] = /inequivalent arg '(\w+)' for exchange .* but current is '?([^']*)'?/.exec(messageOf(error)) ?? [];
    const difference = property === undefined ? messageOf(error) : `with the ${property} "${value}"`;
    throw new Error(
      `the exchange "${exchange}" exists ${difference}, but must be a durable topic exchange; delete it, and Warren declares it`,
      { cause: error },
    );
  }
}
