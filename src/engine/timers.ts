import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
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
    while (holds()) {
      const waitMs = await fireDue(store, log).catch((error: unknown) => {
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

/** Resolves with how long to wait before the next look, in milliseconds. */
async function fireDue({ timers }: Store, log: Log): Promise<number> {
  const due = await timers.due(now(), batch);
  if (due.length > 0) {
    const fired = await timers.fire(due);
    if (fired < due.length) await tellHindered(timers, log);
    return 0;
  }
  const next = await timers.next();
  return next === undefined ? lookEveryMs : Math.min(lookEveryMs, Math.max(1, next - now()));
}

async function tellHindered(timers: Store["timers"], log: Log): Promise<void> {
  const { hindered } = await timers.count(0);
  if (hindered > 0) log.error({ timers: hindered }, "Events that were to be published later cannot be: this program does not declare them");
}
