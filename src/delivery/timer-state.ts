import type { TimerReads } from "../store/timers";
import { now } from "../timing/clock";

/** Time for which an event may be due before a person should look, in seconds. */
export const mostLateSeconds = 60;
/** Maximum number of timers that are counted, so that counting takes no longer with a million of them. */
export const mostCounted = 10_000;

/** The events to publish later, in numbers. */
export interface TimerState {
  /** Number of those that wait, up to {@link mostCounted}. */
  readonly waiting: number;
  /** Number of those that cannot be published, up to {@link mostCounted}. */
  readonly problems: number;
  /** When the next one is due, in ISO 8601. Null if none waits. */
  readonly nextAt: string | null;
  /** For how long the next one has been due, in seconds. 0 if none is due. */
  readonly lateSeconds: number;
}

export async function timerState(timers: TimerReads): Promise<TimerState> {
  const [{ waiting, hindered: problems }, next] = await Promise.all([timers.count(mostCounted), timers.next()]);
  if (next === undefined) return { waiting, problems, nextAt: null, lateSeconds: 0 };
  return { waiting, problems, nextAt: new Date(next).toISOString(), lateSeconds: Math.max(0, now() - next) / 1000 };
}
