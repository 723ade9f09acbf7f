import { QueueUnavailable } from "../delivery/queue-errors";
import { type Log, messageOf } from "../observe/logging";
import type { Broker, Options } from "./connection";
import { isPreconditionFailed, isQueueDown } from "./reply-code";

/**
 * Declares a durable queue. If it exists with other arguments, uses it as it is and logs the difference.
 *
 * @param how.replacesUnused True to replace a classic queue by a quorum queue if it is empty and has no consumer. Default: false.
 */
export async function declareQueue(
  broker: Broker,
  queue: string,
  options: Options.AssertQueue,
  log: Log,
  how: { readonly replacesUnused?: boolean } = {},
): Promise<void> {
  try {
    await broker.withChannel((channel) => channel.assertQueue(queue, { durable: true, ...options }));
  } catch (error) {
    if (isQueueDown(error)) throw queueDown(queue, error);
    if (!isPreconditionFailed(error)) throw error;
    if (how.replacesUnused && isAboutClassicQueue(error) && (await deleteUnused(broker, queue))) {
      return declareQueue(broker, queue, options, log);
    }
    await broker.withChannel((channel) => channel.checkQueue(queue));
    log.warn(
      { queue, difference: differenceOf(error) },
      "This queue exists with other arguments; using it as it is. Delete it to have Warren declare it again",
    );
  }
}

/** Returns whether RabbitMQ refused to declare a quorum queue because a classic one has its name. */
function isAboutClassicQueue(error: unknown): boolean {
  return /^inequivalent arg 'x-queue-type' .* current is (none|.*'classic')/.test(differenceOf(error));
}

/** Deletes a classic queue if it is empty and has no consumer. Resolves with whether it did. RabbitMQ has no such check for quorum queues. */
export async function deleteUnused(broker: Broker, queue: string): Promise<boolean> {
  try {
    await broker.withChannel((channel) => channel.deleteQueue(queue, { ifEmpty: true, ifUnused: true }));
    return true;
  } catch (error) {
    if (isPreconditionFailed(error)) return false;
    throw error;
  }
}

/** Extracts the argument, the requested value and the current value from RabbitMQ's message. */
function differenceOf(error: unknown): string {
  return /PRECONDITION_FAILED - ([^"]*)/.exec(messageOf(error))?.[1] ?? messageOf(error);
}

/** Returns the error for a queue that exists on a node that is down. */
export function queueDown(queue: string, cause: unknown): QueueUnavailable {
  const [, words = messageOf(cause)] = /NOT_FOUND - ([^"]*)/.exec(messageOf(cause)) ?? [];
  return new QueueUnavailable(`The queue "${queue}" cannot be used until RabbitMQ has it again: ${words}`, { cause });
}
