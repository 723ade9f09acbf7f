import { mostCounted } from "../delivery/timer-state";
import type { Log } from "../observe/logging";
import type { Store } from "../store/store";
import type { Timer, Timers } from "../store/timers";
import { now } from "../timing/clock";
import { keepStepping, lookEveryMs } from "./led-steps";

/** Maximum number of timers that become events in one step. */
const batch = 500;

/** Turns timers into events when they are due, in one process at a time. */
export function keepTimers(store: Store, log: Log): { stop(): Promise<void> } {
  const trouble = "Cannot publish the events that are due; retrying";
  return keepStepping(store, log, { name: "timers", trouble, begin: () => firing(store.timers, log) });
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
