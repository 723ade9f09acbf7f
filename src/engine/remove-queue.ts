// Removes a queue that no consumer needs any more, with all that is kept for it. The API and `bun run queues remove` share it.
import type { Config } from "../config/config";
import { NotRemovable, QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { counted } from "../observe/amounts";
import type { Log } from "../observe/logging";
import { Announcer } from "../rabbitmq/announcer";
import type { Broker } from "../rabbitmq/connection";
import { signingKey } from "../rabbitmq/signing-key";
import { convertingQueueOf, deadQueueOf, deleteQueue, retryQueueOf } from "../rabbitmq/topology";
import { whyUnavailable } from "../rabbitmq/unavailable";
import type { Dependencies } from "../routing/route";
import type { Catalogue } from "../schema/catalogue";
import type { AskQueues, QueueState } from "../status/queue-states";
import type { ConsumerStores } from "../store/consumer/stores";
import type { Store } from "../store/store";
import { steadyNow } from "../timing/clock";

/** A queue to remove, and what is in it. */
export interface Removable extends Pick<QueueState, "queue" | "messages" | "retries" | "deadLetters" | "consumers"> {
  /** `shared`: the queue of a resource. `own`: a consumer's own queue. */
  readonly kind: "shared" | "own";
}

/** Where its events are. */
export interface RemovalPlace {
  /** Undefined for the embedded transport. */
  readonly broker: Broker | undefined;
  readonly consumers: Pick<ConsumerStores, "remove" | "ownTables" | "isShared">;
}

export interface Removal extends RemovalPlace {
  removeSchedule(queue: string): Promise<unknown>;
  /** Resolves with the delays of its retry queues. */
  retryDelaysMs(queue: string): Promise<readonly number[]>;
  /** Has the process that serves the announcements forget the queue. Otherwise a running fill would create it again. */
  forget(broker: Broker, queue: string): Promise<unknown>;
}

/** Maximum time to wait until the queue is forgotten, in milliseconds. */
const patienceMs = 10_000;
const lookEveryMs = 50;

/** Returns why a queue cannot be removed. Undefined if it can. */
export function whyKept({ broker }: Pick<RemovalPlace, "broker">, removable: Removable): string | undefined {
  if (removable.kind === "shared" && broker)
    return `"${removable.queue}" is the queue of a resource and cannot be removed: the API creates it at each start.`;
  return whyInUse(removable);
}

/** Returns a sentence about the running consumers of a queue. Undefined if there are none. */
export function whyInUse({ queue, consumers }: Pick<Removable, "queue" | "consumers">): string | undefined {
  if (consumers === 0) return undefined;
  const [are, them] = consumers === 1 ? ["is", "it"] : ["are", "them"];
  return `${counted(consumers, "consumer")} of "${queue}" ${are} running: stop ${them} first.`;
}

/** Returns whether what consumers keep is removed with the queue. With RabbitMQ, each machine of the queue can have a file, and these are left. */
export function removesStore({ broker, consumers }: RemovalPlace, removable: Pick<Removable, "consumers">): boolean {
  return !broker || (consumers.isShared && removable.consumers === 0);
}

/** Describes the data that removing a queue would delete. Resolves with undefined if there is none. */
export async function lossOf(place: RemovalPlace, removable: Removable): Promise<string | undefined> {
  const { queue, messages, retries, deadLetters } = removable;
  const tables = removesStore(place, removable) ? await place.consumers.ownTables(queue) : [];
  const losses = [
    messages ? `${counted(messages, "event")} that ${messages === 1 ? "waits" : "wait"}` : undefined,
    retries > 0 ? counted(retries, "retry").replace(/retrys$/, "retries") : undefined,
    deadLetters > 0 ? counted(deadLetters, "dead letter") : undefined,
    tables.length > 0 ? `tables of its own (${tables.join(", ")})` : undefined,
  ].filter((loss) => loss !== undefined);
  return losses.length > 1 ? `${losses.slice(0, -1).join(", ")} and ${losses.at(-1)}` : losses[0];
}

/**
 * Removes a queue: on RabbitMQ with its bindings, retry queues and dead letters; its schedule; and what its consumer keeps.
 *
 * @throws {NotRemovable} if its consumer has started meanwhile.
 */
export async function removeQueue(removal: Removal, removable: Removable): Promise<void> {
  const { broker, consumers, removeSchedule, retryDelaysMs, forget } = removal;
  const { queue } = removable;
  // First, so that it gets no event that creates the queue again.
  await removeSchedule(queue);
  if (broker) {
    const delaysMs = await retryDelaysMs(queue);
    await forget(broker, queue);
    for (const delayMs of delaysMs) await deleteQueue(broker, retryQueueOf(queue, delayMs));
    await deleteQueue(broker, queue);
    await deleteQueue(broker, deadQueueOf(queue));
    for (const name of [queue, deadQueueOf(queue)]) await deleteQueue(broker, convertingQueueOf(name));
  }
  if (removesStore(removal, removable) && !(await consumers.remove(queue)))
    throw new NotRemovable(`The consumer of "${queue}" is running: stop it first.`);
}

interface RemoverOptions extends RemovalPlace {
  readonly config: Pick<Config, "warrenKey" | "dataDir">;
  readonly store: Pick<Store, "subscriptions" | "retryQueues" | "schedules">;
  readonly catalogue: Catalogue;
  readonly ask: AskQueues;
  readonly log: Log;
}

/** Returns the function of the API that removes a queue. */
export function queueRemover({ config, store, catalogue, ask, log, ...place }: RemoverOptions): Dependencies["removeQueue"] {
  const isKnown = async (queue: string) =>
    (await store.subscriptions.list()).some((known) => known.queue === queue && known.types.length > 0);
  const find = async (queue: string): Promise<Removable> => {
    const state = (await ask()).find((each) => each.queue === queue);
    if (!state && !(place.broker && (await isKnown(queue)))) throw new UnknownQueue(queue);
    const kind = catalogue.ownerOf(queue) ? "shared" : "own";
    return { messages: 0, retries: 0, deadLetters: 0, consumers: 0, ...state, queue, kind };
  };
  const forget = async (broker: Broker, queue: string) => {
    await new Announcer(broker, signingKey(config, log), log).announce({ remove: queue });
    for (const deadline = performance.now() + patienceMs; await isKnown(queue); await Bun.sleep(lookEveryMs)) {
      if (performance.now() >= deadline)
        throw new QueueUnavailable(`"${queue}" was not removed in time. The log and \`needs\` of /status say why.`);
    }
  };
  const refuseIfAway = () => {
    const trouble = place.broker && whyUnavailable(place.broker);
    if (trouble) throw new QueueUnavailable(trouble);
  };
  const remove: Dependencies["removeQueue"] = async (name, { force }) => {
    const queue = await find(name);
    const why = whyKept(place, queue);
    if (why) throw new NotRemovable(why);
    const lost = await lossOf(place, queue);
    if (lost && !force) throw new NotRemovable(`"${name}" has ${lost}, which would be lost. To remove it anyway, add force=true.`);
    const removal: Removal = {
      ...place,
      removeSchedule: (each) => store.schedules.remove(each),
      retryDelaysMs: async (each) =>
        (await store.retryQueues.list(steadyNow())).filter((retry) => retry.queue === each).map(({ delayMs }) => delayMs),
      forget,
    };
    await removeQueue(removal, queue);
    log.info({ queue: name, lost: lost ?? null }, "Removed a queue on request");
    return { removed: name, messages: queue.messages, retries: queue.retries, deadLetters: queue.deadLetters };
  };
  return async (name, how) => {
    refuseIfAway();
    try {
      return await remove(name, how);
    } catch (error) {
      // The connection was lost meanwhile.
      refuseIfAway();
      throw error;
    }
  };
}
