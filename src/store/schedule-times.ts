// When the events of schedules are due. Times are milliseconds since 1970.
import { CronPattern } from "../timing/cron-pattern";
import { abandonedAfterMs, type Schedule } from "./schedules";

/** How late an event of a schedule that skips missed times may be. Another process may have to take over the task first. */
const mostLateMs = 60_000;

export const scheduleStates = ["waiting", "running", "stopped"] as const;

/**
 * State of a schedule: it waits for its next time, its last event is not done yet, or it has stopped because no consumer has announced it for
 * 7 days.
 */
export type ScheduleState = (typeof scheduleStates)[number];

/** A schedule as the API and commands show it. Times are ISO 8601. */
export interface ShownSchedule extends Pick<Schedule, "timeZone" | "missed" | "overlap"> {
  readonly id: number;
  /** The queue of its consumer. */
  readonly name: string;
  readonly schedule: string;
  readonly state: ScheduleState;
  /** The next time. While the last event is not done, it may become later. Null for a schedule that has stopped. */
  readonly nextAt: string | null;
  /** The time of the last event. Null if there was none. */
  readonly lastAt: string | null;
  /** The id of the last event. Null if there was none. */
  readonly lastEvent: string | null;
  readonly announcedAt: string;
}

export function shownSchedule(schedule: Schedule, time: number): ShownSchedule {
  const { number: id, queue: name, pattern, timeZone, missed, overlap, lastAt, lastTick: lastEvent, announcedAt } = schedule;
  const state = isAbandoned(schedule, time) ? "stopped" : schedule.isDone ? "waiting" : "running";
  const nextAt = state === "stopped" ? undefined : nextTime(schedule, time);
  const text = (at: number | null | undefined) => (at === null || at === undefined ? null : new Date(at).toISOString());
  return {
    ...{ id, name, schedule: pattern, timeZone, missed, overlap, state },
    ...{ nextAt: text(nextAt), lastAt: text(lastAt), lastEvent, announcedAt: new Date(announcedAt).toISOString() },
  };
}

/** Returns whether a schedule has stopped because no consumer has announced it for long. */
export function isAbandoned({ announcedAt }: Pick<Schedule, "announcedAt">, time: number): boolean {
  return announcedAt < time - abandonedAfterMs;
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
