import type { Config } from "../config/config";
import { type Consumer, ConsumerError } from "../delivery/consumer-options";
import type { LazyFile } from "../delivery/lazy-file";
import type { Stage } from "../delivery/running";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import { whenUnlocked } from "../store/lock-wait";
import type { LogFollower } from "../store/log-follower";
import { openLog } from "../store/open";
import { acquireLock, type Lock } from "../store/sqlite/lock";
import { EmbeddedConsumer } from "./consume";

/** Interval to check for a missing database, or for a lock that another process holds, in milliseconds. */
const tryEveryMs = 250;

/**
 * Handles the event log without a broker, from this consumer's own durable position. The retries and dead letters that
 * RabbitMQ would keep are in the consumer's own file.
 *
 * @param config says where the database of the API is. It may be created later.
 * @param lockFile makes a second process on the same queue wait. Not used by a temporary consumer.
 * @param stop ends the consumer after the events in progress.
 * @param onStage called with each stage that the consumer reaches.
 * @throws {ConsumerError} if the database is not one of Warren, or is of a newer version.
 */
export async function consumeLog(
  worker: Worker,
  config: Pick<Config, "database">,
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
        const log = (await readableLog(config)) ?? (await waitForLog(consumer, config, stop));
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

/**
 * Opens the event log. Resolves with undefined if its file does not exist yet.
 *
 * @throws {ConsumerError} if the file is not a database of Warren, or is of a newer version.
 */
async function readableLog(config: Pick<Config, "database">): Promise<LogFollower | undefined> {
  try {
    return await openLog(config);
  } catch (error) {
    throw new ConsumerError(`The event log in ${config.database.shown} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

const noLock: Lock = { release() {} };

/** Waits until no other process has the queue. Resolves with its lock, or with undefined if `stop` aborts. */
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

async function waitForLog(consumer: Consumer, config: Pick<Config, "database">, stop: AbortSignal): Promise<LogFollower | undefined> {
  consumer.log.info({ database: config.database.shown }, "Waiting for the API to make its database: start it with `bun run dev`");
  while (!stop.aborted) {
    const log = await readableLog(config);
    if (log) return log;
    await Bun.sleep(tryEveryMs);
  }
  return undefined;
}
