import type { Store } from "../../store/store";
import { now } from "../../timing/clock";
import type { TestConsumers } from "./consumers";

/** Pause while a timer that is due becomes an event, in milliseconds. */
const timerPauseMs = 1;

/** Returns a function that waits until all is settled, with what consumers and timers add to the log meanwhile. */
export function settling(store: Pick<Store, "log" | "timers">, consumers: TestConsumers): () => Promise<void> {
  return async () => {
    for (;;) {
      const end = await store.log.end();
      await consumers.rest();
      if ((await untilTimerMs(store)) <= 0) await Bun.sleep(timerPauseMs);
      else if ((await store.log.end()) === end) return;
    }
  };
}

/** Resolves with the milliseconds until the next timer is due, or Infinity. */
export async function untilTimerMs({ timers }: Pick<Store, "timers">): Promise<number> {
  return ((await timers.next()) ?? Number.POSITIVE_INFINITY) - now();
}
