/** The leadership of a task, for the process that leads it. */
export interface Leadership {
  /** Aborts when the work must end: because the process stops it, or because another process may lead from now on. */
  readonly until: AbortSignal;
  /**
   * Returns whether this process still leads. Ask right before each effect that only the leader may have. `until` alone comes too late in a
   * process that was suspended, because other code may run before the timer that aborts it.
   */
  holds(): boolean;
  /** Number of this leadership. It is greater than that of each earlier leadership of the task, so the store can refuse an earlier leader. */
  readonly epoch: number;
}

/** Returns the leadership of the only process that serves a store. It lasts until `stop` aborts. */
export function soleLeadership(stop: AbortSignal): Leadership {
  return { until: stop, holds: () => !stop.aborted, epoch: 1 };
}
