import { dueTime, isAbandoned, isBusy, nextTime } from "../../store/schedule-times";
import type { Schedule } from "../../store/schedules";
import type { Store } from "../../store/store";
import { now } from "../../timing/clock";
import type { TestConsumers } from "./consumers";

/** Pause while a timer or a schedule that is due becomes an event, in milliseconds. */
const timerPauseMs = 1;

/** Returns a function that waits until all is settled, with what consumers and timers add to the log meanwhile. */
export function settling(store: Pick<Store, "log" | "timers" | "schedules">, consumers: TestConsumers): () => Promise<void> {
  return async () => {
    for (;;) {
      const end = await store.log.end();
      await consumers.rest();
      if ((await untilEventMs(store)) <= 0) await Bun.sleep(timerPauseMs);
      else if ((await store.log.end()) === end) return;
    }
  };
}

/** Resolves with the milliseconds until the next timer or schedule is due, or Infinity. */
export async function untilEventMs({ timers, schedules }: Pick<Store, "timers" | "schedules">): Promise<number> {
  const time = now();
  const times = (await schedules.list()).map((schedule) => scheduledAt(schedule, time));
  return Math.min((await timers.next()) ?? Number.POSITIVE_INFINITY, ...times) - time;
}

function scheduledAt(schedule: Schedule, time: number): number {
  if (dueTime(schedule, time) !== undefined) return time;
  const isHeld = isBusy(schedule) || isAbandoned(schedule, time);
  return (isHeld ? undefined : nextTime(schedule, time)) ?? Number.POSITIVE_INFINITY;
}
