import type { Config } from "../config/config";
import { type Consumer, ConsumerError } from "../delivery/consumer-options";
import type { LazyStore } from "../delivery/lazy-store";
import type { Stage } from "../delivery/running";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import type { Claim, ConsumerStores } from "../store/consumer/stores";
import type { LogFollower } from "../store/log-follower";
import { openLog, whenUnlocked } from "../store/open";
import { pause } from "../timing/pause";
import { EmbeddedConsumer } from "./consume";

/** Interval to check for a missing database, or for a lock that another process holds, in milliseconds. */
const tryEveryMs = 250;

/**
 * Handles the event log without a broker, from this consumer's own durable position. The retries and dead letters that
 * RabbitMQ would keep are in the consumer's own store.
 *
 * @param config says where the database of the API is. It may be created later.
 * @param consumers lets a second process on the same queue wait, unless the consumer is temporary.
 * @param stop ends the consumer after the events in progress.
 * @param onStage called with each stage that the consumer reaches.
 * @throws {ConsumerError} if the database is not one of Warren, or is of a newer version.
 */
export async function consumeLog(
  worker: Worker,
  config: Pick<Config, "database">,
  consumers: ConsumerStores,
  store: LazyStore,
  stop: AbortSignal,
  onStage: (stage: Stage) => void,
): Promise<void> {
  const { consumer } = worker;
  const startedAt = new Date();
  let since: Date | undefined;
  try {
    while (!stop.aborted) {
      const claim = consumer.temporary ? noClaim : await standBy(consumer, consumers, stop, () => onStage("standing by"));
      if (!claim) return;
      onStage("waiting");
      try {
        const log = (await readableLog(config)) ?? (await waitForLog(consumer, config, stop));
        if (!log) return;
        try {
          onStage("consuming");
          const own = await whenUnlocked(store.renew);
          await new EmbeddedConsumer(worker, log, own, stop, { since, onReplaced: () => onStage("replaced") }).run();
          since ??= startedAt;
        } finally {
          log.close();
        }
      } finally {
        await claim.release();
      }
    }
  } finally {
    await store.close();
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
    throw new ConsumerError(`Cannot read the event log in ${config.database.shown}: ${messageOf(error)}`, { cause: error });
  }
}

const noClaim: Claim = { release: async () => {} };

/** Waits until no other process has the queue. Resolves with the claim to it, or with undefined if `stop` aborts. */
async function standBy(consumer: Consumer, consumers: ConsumerStores, stop: AbortSignal, onWait: () => void): Promise<Claim | undefined> {
  for (let told = false; !stop.aborted; told = true) {
    const claim = await consumers.claim(consumer.queue);
    if (claim) return claim;
    if (!told) {
      onWait();
      consumer.log.info(
        { queue: consumer.queue },
        "Another process consumes this queue; standing by to take over when it ends. To share the work, run RabbitMQ",
      );
    }
    await pause(tryEveryMs, stop);
  }
  return undefined;
}

async function waitForLog(consumer: Consumer, config: Pick<Config, "database">, stop: AbortSignal): Promise<LogFollower | undefined> {
  consumer.log.info({ database: config.database.shown }, "Waiting for the API to create its database: start it with `bun run dev`");
  while (!stop.aborted) {
    const log = await readableLog(config);
    if (log) return log;
    await pause(tryEveryMs, stop);
  }
  return undefined;
}
