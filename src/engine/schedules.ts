import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import { dueTime, nextTime } from "../store/schedule-times";
import type { Schedules } from "../store/schedules";
import type { Store } from "../store/store";
import { now } from "../timing/clock";
import { pause } from "../timing/pause";

/** Maximum time until a new schedule, or the end of an event's handling, is noticed, and pause after an error, in milliseconds. */
const lookEveryMs = 1000;

/** Publishes the events of schedules when their time has come, in one process at a time. */
export function keepSchedules(store: Store, log: Log): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const keep = async ({ until, holds }: Leadership) => {
    while (holds()) {
      const waitMs = await publishDue(store.schedules).catch((error: unknown) => {
        log.warn({ error: messageOf(error) }, "Cannot publish the events of schedules; retrying");
        return lookEveryMs;
      });
      if (holds()) await pause(waitMs, until);
    }
  };
  const lead = async () => {
    while (!stopping.signal.aborted) await store.lead("schedules", stopping.signal, keep);
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
async function publishDue(schedules: Schedules): Promise<number> {
  let waitMs = lookEveryMs;
  for (const schedule of await schedules.list()) {
    const time = now();
    const dueAt = dueTime(schedule, time);
    // Of times that come once more, the event is published once.
    if (schedule.since > time) await schedules.rewind(schedule, time);
    else if (dueAt !== undefined && (schedule.dueAt !== null || (await schedules.aim(schedule, dueAt))))
      await schedules.tick(schedule, dueAt);
    else if (schedule.isDone && schedule.lastTick !== null) await schedules.settle(schedule);
    waitMs = Math.min(waitMs, Math.max(1, (nextTime(schedule, time) ?? time + lookEveryMs) - now()));
  }
  return waitMs;
}
