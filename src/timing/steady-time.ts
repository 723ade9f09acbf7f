/**
 * Returns milliseconds since 1970: the system time when this process started plus the time elapsed since then. Changes to the
 * system clock have no effect. Use it for durations and due times. Limit times that were stored before a restart, since the clock
 * of the earlier process may have differed.
 */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** Returns the earlier of `Date.now()` and {@link steadyNow}. Use it to expire data: a clock set forward then expires nothing early. */
export function earliestNow(): number {
  return Math.min(Date.now(), steadyNow());
}
