// The clock of the product. What is stored, due or expires takes its time from here, so that a test can move it. Durations of work and
// timeouts of the network stay real: they use `performance.now()` and `setTimeout`.

/** Maximum delay of a JavaScript timer, in milliseconds. A timer with a longer delay fires immediately. */
export const longestTimerMs = 2 ** 31 - 1;

/** Interval at which a wait looks at the clock again, in milliseconds. A clock can be set, and timers stop while a machine sleeps. */
const lookAgainMs = 60_000;

/** How far a test has moved the clock, in milliseconds. */
let aheadMs = 0;

/** Returns milliseconds since 1970 by the system clock, which can be set forward or back. */
export function now(): number {
  return Date.now() + aheadMs;
}

/** Returns {@link now} in ISO 8601. */
export function timestamp(): string {
  return new Date(now()).toISOString();
}

/**
 * Returns milliseconds since 1970: the system time when this process started plus the time elapsed since then. Changes to the
 * system clock have no effect. Use it for durations and due times. Limit times that were stored before a restart, since the clock
 * of the earlier process may have differed.
 */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now()) + aheadMs;
}

/** Returns the earlier of {@link now} and {@link steadyNow}. Use it to expire data: a clock set forward then expires nothing early. */
export function earliestNow(): number {
  return Math.min(now(), steadyNow());
}

/** A wait for a time. */
interface Wait {
  /** Milliseconds until its time has come. */
  leftMs(): number;
  /** Ends the wait. */
  end(): void;
  /** True if something is due then. False if a loop looks then whether something is. */
  readonly isDue: boolean;
}

/** The waits that are not over, while a test controls the clock. */
const waits = new Set<Wait>();
let controls = 0;

/**
 * Calls `wake` once when something is due, however far in the future, and soon if its time has passed. Never calls it at once.
 * Returns a function that cancels it.
 *
 * @param at milliseconds since 1970, by `clock`.
 * @param clock {@link now} for a date, {@link steadyNow} for a time that was computed from a duration. Default: `now`.
 */
export function wakeAt(at: number, wake: () => void, clock: () => number = now): () => void {
  const leftMs = () => at - clock();
  let timer: Timer;
  const start = () => {
    timer = setTimeout(() => (leftMs() > 0 ? start() : wait.end()), Math.max(1, Math.min(leftMs(), lookAgainMs)));
  };
  start();
  const wait = waitFor(leftMs, wake, () => clearTimeout(timer), true);
  return wait.cancel;
}

/**
 * Calls `wake` once after `ms`, at most {@link longestTimerMs}: for a loop that looks at intervals whether there is something to do.
 * Returns a function that cancels it.
 */
export function wakeIn(ms: number, wake: () => void): () => void {
  const at = steadyNow() + ms;
  const timer = setTimeout(() => wait.end(), Math.min(ms, longestTimerMs));
  const wait = waitFor(
    () => at - steadyNow(),
    wake,
    () => clearTimeout(timer),
    false,
  );
  return wait.cancel;
}

function waitFor(leftMs: () => number, wake: () => void, clear: () => void, isDue: boolean): Wait & { cancel(): void } {
  const cancel = () => {
    clear();
    waits.delete(wait);
  };
  const end = () => {
    cancel();
    wake();
  };
  const wait = { leftMs, end, isDue, cancel };
  if (controls > 0) waits.add(wait);
  return wait;
}

/** The clock of this process in the hands of a test. */
export interface ClockControl {
  /** Returns the milliseconds until the next time for which {@link wakeAt} waits, or Infinity if it waits for none. */
  untilDueMs(): number;
  /** Moves the clock forward, and ends the waits whose time has come, in order of time. */
  move(ms: number): void;
  /** Gives the clock back. Once all have done so, it is the system's again. */
  release(): void;
}

/** Lets a test move the clock of this process. Waits that began before that do not notice. */
export function controlClock(): ClockControl {
  controls += 1;
  return {
    untilDueMs() {
      return Math.min(Number.POSITIVE_INFINITY, ...[...waits].filter(({ isDue }) => isDue).map((wait) => wait.leftMs()));
    },
    move(ms) {
      aheadMs += ms;
      const over = [...waits].filter((wait) => wait.leftMs() <= 0).sort((one, other) => one.leftMs() - other.leftMs());
      for (const wait of over) if (waits.has(wait)) wait.end();
    },
    release() {
      controls -= 1;
      if (controls > 0) return;
      aheadMs = 0;
      waits.clear();
    },
  };
}
