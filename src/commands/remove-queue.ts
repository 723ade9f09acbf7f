import { operatorChanges } from "../changing/operator-changes";
import { tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import type { Broker } from "../rabbitmq/connection";
import { convertingQueueOf, deadQueueOf, deleteQueue, retryQueueOf } from "../rabbitmq/topology";
import type { ConsumerStores } from "../store/consumer/stores";
import { openLog } from "../store/open";
import { Trouble } from "./command";
import { tellApi } from "./tell-api";
import { existingLog, type Reached } from "./transport";

/** Removes a consumer's own queue from RabbitMQ, with its bindings, retry queues and dead letters, and has the API forget it. */
export async function removeFromRabbitmq(reached: Reached, broker: Broker, queue: string): Promise<void> {
  const log = await existingLog(reached.config);
  try {
    const delays = (await log.retryQueues(Date.now())).filter((retry) => retry.queue === queue);
    // Do this first; otherwise a running fill would create the queue again.
    const isForgotten = await tellApi(reached, broker, { remove: queue }, async () => !(await log.queues()).includes(queue));
    for (const { delayMs } of delays) await deleteQueue(broker, retryQueueOf(queue, delayMs));
    await deleteQueue(broker, queue);
    await deleteQueue(broker, deadQueueOf(queue));
    for (const name of [queue, deadQueueOf(queue)]) await deleteQueue(broker, convertingQueueOf(name));
    if (!isForgotten) tell("The API is not running. It will forget the queue when it starts.");
  } finally {
    log.close();
  }
}

/** Removes the schedule of a queue's consumer, if it has one. */
export async function removeSchedule({ config }: Pick<Reached, "config">, queue: string): Promise<void> {
  const log = await openLog(config);
  const schedules = (await log?.schedules()) ?? [];
  log?.close();
  if (!schedules.some((schedule) => schedule.queue === queue)) return;
  const changes = await operatorChanges(config, (await loadCatalogue()).resources);
  try {
    await changes.removeSchedule(queue);
  } finally {
    await changes.close();
  }
}

/**
 * Removes what a consumer keeps.
 *
 * @throws {Trouble} while the consumer runs.
 */
export async function removeStore(consumers: ConsumerStores, queue: string): Promise<void> {
  if (!(await consumers.remove(queue))) throw new Trouble(`The consumer of "${queue}" is running: stop it first.`);
}

/** Describes the tables that a consumer has added to its store. Resolves with undefined if there are none. */
export async function ownDataOf(consumers: ConsumerStores, queue: string): Promise<string | undefined> {
  const tables = await consumers.ownTables(queue);
  return tables.length > 0 ? `tables of its own (${tables.join(", ")})` : undefined;
}
