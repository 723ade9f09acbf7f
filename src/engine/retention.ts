import type { Config } from "../config/config";
import { type Log, messageOf } from "../observe/logging";
import type { Relay } from "../rabbitmq/relay";
import type { ConsumerStores } from "../store/consumer/stores";
import type { Store } from "../store/store";
import { pause } from "../timing/pause";
import { earliestNow } from "../timing/steady-time";

export interface RetentionOptions {
  readonly config: Pick<Config, "eventRetentionMs">;
  readonly store: Store;
  readonly relay: Pick<Relay, "position">;
  /** Returns the position that the slowest replay has reached. */
  readonly replayed: () => number;
  readonly consumers: Pick<ConsumerStores, "slowest">;
  readonly log: Log;
}

const pruneEveryMs = 60_000;

/** Prunes old events at an interval if EVENT_RETENTION is set. */
export function keepRetention(options: RetentionOptions): { stop(): void } {
  const { eventRetentionMs } = options.config;
  if (eventRetentionMs === null) return { stop() {} };
  const stopping = new AbortController();
  void options.store.lead("retention", stopping.signal, async (until) => {
    do {
      await pruneOnce(options, new Date(earliestNow() - eventRetentionMs)).catch((error: unknown) =>
        options.log.warn({ error: messageOf(error) }, "Cannot prune old events; retrying"),
      );
      await pause(Math.min(pruneEveryMs, eventRetentionMs), until);
    } while (!until.aborted);
  });
  return { stop: () => stopping.abort() };
}

/**
 * Removes events from before a time, except those that RabbitMQ, a consumer or a replay still needs. Resolves with the
 * number of events removed.
 */
export async function pruneOnce({ store, relay, replayed, consumers, log }: RetentionOptions, before: Date): Promise<number> {
  const slowest = await consumers.slowest(store.logId);
  const limit = Math.min(relay.position, replayed(), slowest ?? Number.POSITIVE_INFINITY);
  let pruned = 0;
  for (let removed = -1; removed !== 0; pruned += removed) removed = await store.prune(before.toISOString(), limit);
  if (pruned > 0) log.info({ pruned, before: before.toISOString(), upTo: limit }, "Pruned old events");
  return pruned;
}
