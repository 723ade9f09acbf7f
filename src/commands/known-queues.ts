import type { Config } from "../config/config";
import { loadCatalogue } from "../project/resources";
import type { Broker } from "../rabbitmq/connection";
import { embeddedQueues, knownQueues, rabbitQueues } from "../status/queue-states";
import { openLog } from "../store/open";
import type { QueueSubscription } from "../store/queue-store";
import type { Reached } from "./transport";

/** A queue that Warren knows, whether or not it exists. */
export interface ListedQueue {
  readonly queue: string;
  /** `shared`: the queue of a resource, which the API creates at each start. `own`: a consumer's own queue. */
  readonly kind: "shared" | "own";
  /** False if RabbitMQ does not have the queue, or no longer has it. */
  readonly exists: boolean;
  /** Events that wait to be handled. Null if the consumer has not read this log yet. */
  readonly messages: number | null;
  readonly retries: number;
  readonly deadLetters: number;
  readonly consumers: number;
  /** Time of the consumer's last announcement. Without RabbitMQ, the time its file last changed. Null if unknown. */
  readonly announcedAt: string | null;
}

/** Returns every queue that Warren knows, sorted by name. */
export async function listQueues(reached: Reached): Promise<ListedQueue[]> {
  const queues = reached.broker ? await onRabbitmq(reached.broker, reached.config) : await inStores(reached);
  return queues.sort((a, b) => (a.queue < b.queue ? -1 : 1));
}

async function onRabbitmq(broker: Broker, config: Config): Promise<ListedQueue[]> {
  const catalogue = await loadCatalogue();
  const log = await openLog(config);
  const own: QueueSubscription[] = (await log?.subscriptions()) ?? [];
  const retryQueues = (await log?.retryQueues(Date.now())) ?? [];
  log?.close();
  const known = knownQueues(
    catalogue,
    own.map(({ queue }) => queue),
    retryQueues,
  );
  const states = await rabbitQueues(broker, async () => known)();
  return known.map(({ queue }) => {
    const state = states.find((found) => found.queue === queue);
    const announcedAt = own.find((subscription) => subscription.queue === queue)?.announcedAt;
    return {
      queue,
      kind: catalogue.ownerOf(queue) ? ("shared" as const) : ("own" as const),
      exists: state !== undefined,
      messages: state?.messages ?? 0,
      retries: state?.retries ?? 0,
      deadLetters: state?.deadLetters ?? 0,
      consumers: state?.consumers ?? 0,
      announcedAt: announcedAt ? new Date(announcedAt).toISOString() : null,
    };
  });
}

async function inStores({ config, consumers }: Reached): Promise<ListedQueue[]> {
  const catalogue = await loadCatalogue();
  const log = await openLog(config);
  const states = await embeddedQueues(log && { log, logId: log.logId }, consumers)().finally(() => log?.close());
  return Promise.all(
    states.map(async ({ queue, messages, retries, deadLetters, consumers: running }) => ({
      queue,
      kind: catalogue.ownerOf(queue) ? ("shared" as const) : ("own" as const),
      exists: true,
      ...{ messages, retries, deadLetters, consumers: running },
      announcedAt: (await consumers.changedAt(queue)).toISOString(),
    })),
  );
}
