// Plain counters that the work increments and a scrape reads. They cost almost nothing and cannot fail.

/** Histogram: counts recorded values per range. */
export class Distribution {
  /** Number of values up to the bound at the same index and above the previous bound. The last entry counts values above every bound. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds Upper bounds, in ascending order. */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  record(value: number): void {
    let place = 0;
    while (place < this.bounds.length && value > (this.bounds[place] as number)) place += 1;
    this.counts[place] = (this.counts[place] as number) + 1;
    this.sum += value;
  }
}

/** Bounds for work that takes from half a millisecond to half a minute, in seconds. */
export const workSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Bounds for waits of up to a day, in seconds. */
export const waitSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400];
/** Bounds for work that takes milliseconds, and up to a day if it has to wait first, in seconds. */
export const workOrWaitSeconds = [...workSeconds, ...waitSeconds.filter((seconds) => seconds > 30)];

/** Increments the count of a name. */
export function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Returns the value of a key, created on first use. */
export function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
