import { messageOf } from "../observe/logging";
import { acquireLock, type Lock } from "../store/lock";
import { whenUnlocked } from "../store/lock-wait";
import { followLog, type LogFollower } from "../store/log-follower";
import type { Stage } from "./consumer-health";
import { type Consumer, ConsumerError } from "./consumer-options";
import { EmbeddedConsumer } from "./embedded-consumer";
import type { LazyFile } from "./lazy-file";
import type { Worker } from "./worker";

/** How soon a missing database, or a lock that another process gives back, is noticed. */
const tryEveryMs = 250;

/**
 * Handles the event log without a broker: from this consumer's own durable position, with the retries and dead letters
 * that RabbitMQ would keep in a file of its own.
 *
 * @param logFile the database of the API; it may be made later.
 * @param lockFile keeps a second process on the same queue waiting; not used by a temporary consumer.
 * @param stop ends it after the events in hand.
 * @param onStage is told how far it has come.
 */
export async function consumeLog(
  worker: Worker,
  logFile: string,
  lockFile: string,
  file: LazyFile,
  stop: AbortSignal,
  onStage: (stage: Stage) => void,
): Promise<void> {
  const { consumer } = worker;
  const startedAt = new Date();
  let since: Date | undefined;
  try {
    while (!stop.aborted) {
      const lock = consumer.temporary ? noLock : await standBy(consumer, lockFile, stop, () => onStage("standing by"));
      if (!lock) return;
      onStage("waiting");
      try {
        const log = (await openLog(logFile)) ?? (await waitForLog(consumer, logFile, stop));
        if (!log) return;
        try {
          onStage("consuming");
          const own = await whenUnlocked(file.renew);
          await new EmbeddedConsumer(worker, log, own, stop, { since, onReplaced: () => onStage("replaced") }).run();
          since ??= startedAt;
        } finally {
          log.close();
        }
      } finally {
        lock.release();
      }
    }
  } finally {
    file.close();
  }
}

/** @throws {ConsumerError} for a file that is not a database of Warren, or one of a newer version. */
async function openLog(logFile: string): Promise<LogFollower | undefined> {
  try {
    return await whenUnlocked(() => followLog(logFile));
  } catch (error) {
    throw new ConsumerError(`The event log in ${logFile} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

const noLock: Lock = { release() {} };

/** One process works on a queue; any other waits here until that one is gone. */
async function standBy(consumer: Consumer, lockFile: string, stop: AbortSignal, onWait: () => void): Promise<Lock | undefined> {
  for (let told = false; !stop.aborted; told = true) {
    const lock = acquireLock(lockFile);
    if (lock) return lock;
    if (!told) {
      onWait();
      consumer.log.info(
        { queue: consumer.queue },
        "Another process works on this queue; this one stands by and takes over when that one ends. To share the work, run RabbitMQ",
      );
    }
    await Bun.sleep(tryEveryMs);
  }
  return undefined;
}

async function waitForLog(consumer: Consumer, logFile: string, stop: AbortSignal): Promise<LogFollower | undefined> {
  consumer.log.info({ database: logFile }, "Waiting for the API to make its database: start it with `bun run dev`");
  while (!stop.aborted) {
    const log = await openLog(logFile);
    if (log) return log;
    await Bun.sleep(tryEveryMs);
  }
  return undefined;
}
