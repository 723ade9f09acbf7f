/** Measurement that a program in this folder reports. */
export interface Timing {
  readonly count: number;
  readonly seconds: number;
  /** Microseconds of CPU time per item of work. */
  readonly cpuMicros: number;
}

/** Starts to measure this process. The returned function reports the time used since then for `count` items of work. */
export function startClock(): (count: number) => Timing {
  const started = performance.now();
  const before = process.cpuUsage();
  return (count) => {
    const { user, system } = process.cpuUsage(before);
    return { count, seconds: (performance.now() - started) / 1000, cpuMicros: (user + system) / count };
  };
}
