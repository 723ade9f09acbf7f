/** What a program of this folder tells about its work. */
export interface Timing {
  readonly count: number;
  readonly seconds: number;
  /** Microseconds of CPU for each. */
  readonly cpuMicros: number;
}

/** Starts to measure this process; answers what `count` things have taken since. */
export function startClock(): (count: number) => Timing {
  const started = performance.now();
  const before = process.cpuUsage();
  return (count) => {
    const { user, system } = process.cpuUsage(before);
    return { count, seconds: (performance.now() - started) / 1000, cpuMicros: (user + system) / count };
  };
}
