import { mostCounted } from "../delivery/timer-state";
import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
import type { Timer, Timers } from "../store/timers";
import { now } from "../timing/clock";
import { pause } from "../timing/pause";

/** Maximum time until a timer is noticed that is due earlier than those before it, and pause after an error, in milliseconds. */
const lookEveryMs = 1000;
/** Maximum number of timers that become events in one step. */
const batch = 500;

/** Turns timers into events when they are due, in one process at a time. */
export function keepTimers(store: Store, log: Log): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const keep = async ({ until, holds }: Leadership) => {
    const step = firing(store.timers, log);
    while (holds()) {
      const waitMs = await step().catch((error: unknown) => {
        log.warn({ error: messageOf(error) }, "Cannot publish the events that are due; retrying");
        return lookEveryMs;
      });
      if (waitMs > 0) await pause(waitMs, until);
    }
  };
  const lead = async () => {
    while (!stopping.signal.aborted) await store.lead("timers", stopping.signal, keep);
  };
  const ended = lead();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/**
 * Returns a function that fires what is due, up to a number. It resolves with how long to wait before the next call, in milliseconds. Timers
 * with a problem are tried once more: this program may declare what the one before did not.
 */
function firing(timers: Timers, log: Log): () => Promise<number> {
  /** The last one that was tried once more. Null after all of them. */
  let tried: Timer | null | undefined;
  return async () => {
    const due = await timers.due(now(), batch);
    if (due.length > 0) {
      const fired = await timers.fire(due);
      if (fired < due.length) await tellHindered(timers, log);
      return 0;
    }
    if (tried === null) return untilNext(timers);
    const hindered = await timers.list({ isHindered: true, after: tried, limit: batch });
    await timers.fire(hindered);
    tried = hindered.at(-1) ?? null;
    if (tried === null) await tellHindered(timers, log);
    return 0;
  };
}

async function untilNext(timers: Timers): Promise<number> {
  const next = await timers.next();
  return next === undefined ? lookEveryMs : Math.min(lookEveryMs, Math.max(1, next - now()));
}

async function tellHindered(timers: Timers, log: Log): Promise<void> {
  const { hindered } = await timers.count(mostCounted);
  if (hindered > 0)
    log.error({ timers: hindered }, "Events that were to be published later cannot be; `bun run timers list --problem` says why");
}
