import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import { isAbandoned, type Schedule, type Schedules } from "../store/schedules";
import type { Store } from "../store/store";
import { now } from "../timing/clock";
import { CronPattern } from "../timing/cron-pattern";
import { pause } from "../timing/pause";

/** Maximum time until a new schedule, or the end of an event's handling, is noticed, and pause after an error, in milliseconds. */
const lookEveryMs = 1000;
/** How late an event of a schedule that skips missed times may be, in milliseconds. Another process may have to take over the task first. */
const mostLateMs = 60_000;

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

/** Returns whether a schedule publishes no event before the last one is done. */
export function isBusy({ overlap, isDone }: Schedule): boolean {
  return !overlap && !isDone;
}

/** Returns the time whose event is to be published now, or undefined if there is none. */
export function dueTime(schedule: Schedule, time: number): number | undefined {
  // A process that has ended has decided on it. It may have published the event.
  if (schedule.dueAt !== null) return schedule.dueAt;
  if (isBusy(schedule) || isAbandoned(schedule, time)) return undefined;
  const latest = patternOf(schedule)?.latest(time);
  if (latest === undefined || latest <= schedule.since) return undefined;
  return schedule.missed === "skip" && time - latest > mostLateMs ? undefined : latest;
}

/** Returns the next time of a schedule, whether or not it is held up. Undefined if there is none. */
export function nextTime(schedule: Schedule, time: number): number | undefined {
  return patternOf(schedule)?.next(time);
}

/** The patterns that were read last, since reading one takes longer than asking it. */
const patterns = new Map<string, CronPattern>();
const mostPatterns = 1000;

/** Returns undefined for a pattern that this program does not understand, as one of a newer program could be. */
function patternOf({ pattern, timeZone }: Schedule): CronPattern | undefined {
  const key = `${timeZone} ${pattern}`;
  const known = patterns.get(key);
  if (known) return known;
  if (patterns.size >= mostPatterns) patterns.clear();
  try {
    const read = new CronPattern(pattern, timeZone);
    patterns.set(key, read);
    return read;
  } catch {
    return undefined;
  }
}
