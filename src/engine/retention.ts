import type { Config } from "../config/config";
import { type Log, messageOf } from "../observe/logging";
import type { ConsumerStores } from "../store/consumer/stores";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
import { earliestNow } from "../timing/clock";
import { pause } from "../timing/pause";

export interface RetentionOptions {
  readonly config: Pick<Config, "eventRetentionMs">;
  readonly store: Store;
  /** False if no event is ever sent to RabbitMQ, so that none is kept for it. */
  readonly isRelayed: boolean;
  readonly consumers: Pick<ConsumerStores, "slowest">;
  readonly log: Log;
}

const pruneEveryMs = 60_000;

/** Prunes old events at an interval if EVENT_RETENTION is set. */
export function keepRetention(options: RetentionOptions): { stop(): Promise<void> } {
  const { eventRetentionMs } = options.config;
  if (eventRetentionMs === null) return { async stop() {} };
  const stopping = new AbortController();
  const keep = async ({ until, holds }: Leadership) => {
    while (holds()) {
      await pruneOnce(options, new Date(earliestNow() - eventRetentionMs), holds).catch((error: unknown) =>
        options.log.warn({ error: messageOf(error) }, "Cannot prune old events; retrying"),
      );
      await pause(Math.min(pruneEveryMs, eventRetentionMs), until);
    }
  };
  const ended = repeat(() => options.store.lead("retention", stopping.signal, keep), stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

async function repeat(work: () => Promise<void>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) await work();
}

/**
 * Removes events from before a time, except those that RabbitMQ, a consumer or a replay still needs. Resolves with the
 * number of events removed.
 *
 * @param mayContinue asked after each part of the log. Default: always.
 */
export async function pruneOnce(
  { store, isRelayed, consumers, log }: RetentionOptions,
  before: Date,
  mayContinue: () => boolean = () => true,
): Promise<number> {
  const slowest = await consumers.slowest(store.logId);
  const limit = Math.min(isRelayed ? await relayedBy(store) : Number.POSITIVE_INFINITY, slowest ?? Number.POSITIVE_INFINITY);
  let pruned = 0;
  for (let removed = -1; removed !== 0 && (removed < 0 || mayContinue()); pruned += removed)
    removed = await store.prune(before.toISOString(), limit);
  if (pruned > 0) log.info({ pruned, before: before.toISOString(), upTo: limit }, "Pruned old events");
  return pruned;
}

/** Resolves with the position up to which RabbitMQ needs no event any longer, for the relay or a replay. */
async function relayedBy({ relayed, replays }: Pick<Store, "relayed" | "replays">): Promise<number> {
  const unfinished = await replays.unfinished();
  return Math.min(await relayed.load(), ...unfinished.map(({ position }) => position));
}
