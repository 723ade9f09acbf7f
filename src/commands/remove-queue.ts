import { operatorChanges } from "../changing/operator-changes";
import { NotRemovable } from "../delivery/queue-errors";
import { type Removable, removeQueue } from "../engine/remove-queue";
import { tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { openLog } from "../store/open";
import { Trouble } from "./command";
import { tellApi } from "./tell-api";
import { existingLog, type Reached } from "./transport";

/**
 * Removes a queue, whether or not the API runs.
 *
 * @throws {Trouble} if its consumer has started meanwhile.
 */
export async function removeOver(reached: Reached, queue: Removable): Promise<void> {
  const { broker, consumers, config } = reached;
  const log = broker && (await existingLog(config));
  try {
    await removeQueue(
      {
        ...{ broker, consumers },
        removeSchedule: (name) => removeSchedule(reached, name),
        retryDelaysMs: async (name) =>
          ((await log?.retryQueues(Date.now())) ?? []).filter((retry) => retry.queue === name).map(({ delayMs }) => delayMs),
        forget: async (connected, name) => {
          const isForgotten = await tellApi(reached, connected, { remove: name }, async () => !(await log?.queues())?.includes(name));
          if (!isForgotten) tell("The API is not running. It will forget the queue when it starts.");
        },
      },
      queue,
    );
  } catch (error) {
    throw error instanceof NotRemovable ? new Trouble(error.message) : error;
  } finally {
    log?.close();
  }
}

/** Removes the schedule of a queue's consumer, if it has one. */
async function removeSchedule({ config }: Pick<Reached, "config">, queue: string): Promise<void> {
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
