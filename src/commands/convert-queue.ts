import { tell } from "../observe/terminal";
import type { Broker } from "../rabbitmq/connection";
import { queueTypeOf } from "../rabbitmq/conversion";
import { convertingQueueOf, deadQueueOf, queueDepth } from "../rabbitmq/topology";
import type { LogFollower } from "../store/log-follower";
import { Trouble } from "./command";
import { ProgressReport } from "./progress";
import { announceToApi } from "./tell-api";
import { existingLog, type Reached } from "./transport";

const lookEveryMs = 200;
/** Maximum time in milliseconds for a running API to begin. */
const patienceMs = 10_000;
/** The API stores the same refusal once in this time, in milliseconds. */
const refusalPeriodMs = 10_000;

/** Resolves with whether a queue and its dead-letter queue are quorum queues, or do not exist. */
export async function isConverted(broker: Broker, queue: string): Promise<boolean> {
  for (const name of [queue, deadQueueOf(queue)]) {
    const type = await queueTypeOf(broker, name);
    if (type !== undefined && type !== "quorum") return false;
  }
  return (await movedEvents(broker, queue)) === undefined;
}

/**
 * Asks the API to convert a queue and its dead-letter queue to quorum queues. Resolves with true when it has, or with false when `stop`
 * aborts.
 *
 * @throws {Trouble} if the API refuses, or does not begin in time.
 */
export async function convertQueue(reached: Reached, broker: Broker, queue: string, stop: AbortSignal): Promise<boolean> {
  const log = await existingLog(reached.config);
  const report = new ProgressReport("event");
  const askedAt = Date.now();
  try {
    await announceToApi(reached, broker, { convert: queue });
    let hasBegun = false;
    for (const deadline = performance.now() + patienceMs; !stop.aborted; await Bun.sleep(lookEveryMs)) {
      const moved = await movedEvents(broker, queue);
      if (moved !== undefined) report.update(null, moved);
      else if (await isConverted(broker, queue)) return true;
      else if (!hasBegun) await throwIfRefused(log, queue, askedAt, performance.now() > deadline);
      hasBegun ||= moved !== undefined;
    }
    return false;
  } finally {
    report.end();
    log.close();
    if (stop.aborted) tell("The API goes on with the conversion. Run the command again to watch it.");
  }
}

/** Resolves with the number of events that have been moved out of the classic queues. Undefined if no conversion is unfinished. */
async function movedEvents(broker: Broker, queue: string): Promise<number | undefined> {
  let moved: number | undefined;
  for (const name of [queue, deadQueueOf(queue)]) {
    const depth = await queueDepth(broker, convertingQueueOf(name));
    if (depth !== undefined) moved = (moved ?? 0) + depth;
  }
  return moved;
}

/** @throws {Trouble} if the API has refused, or if it is too late. */
async function throwIfRefused(log: LogFollower, queue: string, askedAt: number, isLate: boolean): Promise<void> {
  const refusal = (await log.refusals(askedAt - refusalPeriodMs)).find((each) => each.queue === queue);
  if (refusal) throw new Trouble(`The API refused to convert "${queue}": ${refusal.problem}.`);
  if (isLate) throw new Trouble("The API did not begin in time. Its log and `bun run status` show why.");
}
