/**
 * Returns milliseconds since 1970, by the clock of the machine as it was when this process started and what has passed since
 * then: a clock that is put forward or back meanwhile makes no difference. For what lasts, and for what has to survive a
 * restart: there it is bounded, as the clock of the process before may have been another.
 */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** Returns the earlier of both clocks: for what must not be lost too early, though one of them may have been put forward. */
export function earliestNow(): number {
  return Math.min(Date.now(), steadyNow());
}
