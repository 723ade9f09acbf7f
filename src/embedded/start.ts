import type { Config } from "../config/config";
import { ConsumerError } from "../delivery/consumer-error";
import type { Consumer } from "../delivery/consumer-options";
import type { LazyStore } from "../delivery/lazy-store";
import type { Stage } from "../delivery/running";
import { whenReachable } from "../delivery/when-reachable";
import type { Worker } from "../delivery/worker";
import { messageOf } from "../observe/logging";
import { type Share, wholeShare } from "../store/consumer/lanes";
import type { ConsumerStores } from "../store/consumer/stores";
import { CannotOpenStore } from "../store/errors";
import type { LogFollower } from "../store/log-follower";
import { isRemoved, openLog } from "../store/open";
import { now } from "../timing/clock";
import { pause } from "../timing/pause";
import { Signal } from "../timing/signal";
import { EmbeddedConsumer } from "./consume";

/** Interval to check for a missing database, in milliseconds. */
const tryEveryMs = 250;

/**
 * Handles the event log without a broker, from this consumer's own durable position. The retries and dead letters that
 * RabbitMQ would keep are in the consumer's own store.
 *
 * @param config says where the database of the API is. It may be created later.
 * @param consumers divides the queue among the processes that consume it, unless the consumer is temporary.
 * @param stop ends the consumer after the events in progress.
 * @param onStage called with each stage that the consumer reaches.
 * @param onRunning called with what reads the log, each time that it starts.
 * @throws {ConsumerError} if the database is not one of Warren, or is of a newer version.
 */
export async function consumeLog(
  worker: Worker,
  config: Pick<Config, "database">,
  consumers: ConsumerStores,
  store: LazyStore,
  stop: AbortSignal,
  onStage: (stage: Stage) => void,
  onRunning: (running: EmbeddedConsumer) => void = () => {},
): Promise<void> {
  const { consumer } = worker;
  const startedAt = new Date(now());
  let since: Date | undefined;
  try {
    while (!stop.aborted) {
      const changed = new Signal();
      let wake = () => changed.raise();
      const join = async () => (consumer.temporary ? wholeShare() : consumers.join(consumer.queue, () => wake()));
      const share = await whenReachable(consumer, join, stop);
      if (!share) return;
      try {
        if (!(await standBy(consumer, share, changed, stop, () => onStage("standing by")))) return;
        onStage("waiting");
        const log = (await readableLog(consumer, config, stop)) ?? (await waitForLog(consumer, config, stop));
        if (!log) return;
        try {
          onStage("consuming");
          const own = await whenReachable(consumer, store.renew, stop);
          if (!own) return;
          const onLanes = (hasAny: boolean) => onStage(hasAny ? "consuming" : "standing by");
          const running = new EmbeddedConsumer(worker, log, own, stop, { share, since, onReplaced: () => onStage("replaced"), onLanes });
          wake = running.wake;
          onRunning(running);
          await running.run().catch((error: unknown) => {
            throw isRemoved(error) ? removed(consumers.shownOf(consumer.queue), consumer.queue, error) : error;
          });
          since ??= startedAt;
        } finally {
          log.close();
        }
      } finally {
        await share.leave();
      }
    }
  } finally {
    await store.close();
  }
}

function removed(shown: string, queue: string, cause: unknown): CannotOpenStore {
  return new CannotOpenStore(
    `Somebody has removed tables of ${shown}, where the consumer of "${queue}" keeps its position, retries and dead letters. Start it again: it ` +
      `makes what is missing, and begins as a new queue does. (${messageOf(cause)})`,
    { cause },
  );
}

/**
 * Opens the event log. Resolves with undefined if it does not exist yet.
 *
 * @throws {ConsumerError} if it is not one of Warren, or is of a newer version.
 */
async function readableLog(consumer: Consumer, config: Pick<Config, "database">, stop: AbortSignal): Promise<LogFollower | undefined> {
  try {
    return await whenReachable(consumer, () => openLog(config), stop);
  } catch (error) {
    throw new ConsumerError(`Cannot read the event log in ${config.database.shown}: ${messageOf(error)}`, { cause: error });
  }
}

/** Waits until this process has a part of the queue. Resolves with false if `stop` aborts before that. */
async function standBy({ queue, log }: Consumer, share: Share, changed: Signal, stop: AbortSignal, onWait: () => void): Promise<boolean> {
  if (share.lanes.length > 0) return !stop.aborted;
  onWait();
  log.info(
    { queue },
    share.count === 1
      ? "Another process consumes this queue; standing by to take over when it ends. To share the work, run RabbitMQ"
      : "Other processes consume this queue; standing by until one of them gives up a part of it",
  );
  stop.addEventListener("abort", () => changed.raise(), { once: true });
  while (!stop.aborted && share.lanes.length === 0) await changed.wait();
  return !stop.aborted;
}

async function waitForLog(consumer: Consumer, config: Pick<Config, "database">, stop: AbortSignal): Promise<LogFollower | undefined> {
  consumer.log.info({ database: config.database.shown }, "Waiting for the API to create its database: start it with `bun run dev`");
  while (!stop.aborted) {
    const log = await readableLog(consumer, config, stop);
    if (log) return log;
    await pause(tryEveryMs, stop);
  }
  return undefined;
}
