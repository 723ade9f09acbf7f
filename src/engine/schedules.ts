import { type Log, messageOf } from "../observe/logging";
import { dueTime, nextTime } from "../store/schedule-times";
import type { Schedule, Schedules } from "../store/schedules";
import type { Store } from "../store/store";
import { now } from "../timing/clock";
import { keepStepping, lookEveryMs } from "./led-steps";

/** Publishes the events of schedules when their time has come, in one process at a time. */
export function keepSchedules(store: Store, log: Log): { stop(): Promise<void> } {
  const trouble = "Cannot look at the schedules; retrying";
  return keepStepping(store, log, { name: "schedules", trouble, begin: () => () => publishDue(store.schedules, log) });
}

/** Resolves with how long to wait before the next look, in milliseconds. */
async function publishDue(schedules: Schedules, log: Log): Promise<number> {
  // Together, since many may be due at the same time, and their events can share commits.
  const waits = (await schedules.list()).map((schedule) =>
    publish(schedules, schedule).catch((error: unknown) => {
      log.warn({ schedule: schedule.queue, error: messageOf(error) }, "Cannot publish the event of a schedule; retrying");
      return lookEveryMs;
    }),
  );
  return Math.min(lookEveryMs, ...(await Promise.all(waits)));
}

/** Publishes the event of a schedule if it is due. Resolves with how long to wait for its next time, in milliseconds. */
async function publish(schedules: Schedules, schedule: Schedule): Promise<number> {
  const time = now();
  const dueAt = dueTime(schedule, time);
  // Of times that come once more, the event is published once.
  if (schedule.since > time) await schedules.rewind(schedule, time);
  else if (dueAt !== undefined && (schedule.dueAt !== null || (await schedules.aim(schedule, dueAt))))
    await schedules.tick(schedule, dueAt);
  else if (schedule.isDone && !schedule.isSettled) await schedules.settle(schedule);
  return Math.max(1, (nextTime(schedule, time) ?? Number.POSITIVE_INFINITY) - now());
}
