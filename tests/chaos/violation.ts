/** A broken promise: its name, the number of times it was seen, and the first example. */
export interface Violation {
  readonly name: string;
  readonly count: number;
  readonly example: string;
}

/** Counts what was found by name. */
export function violationsOf(found: Iterable<readonly [name: string, example: string]>): Violation[] {
  const byName = Map.groupBy(found, ([name]) => name);
  return [...byName].map(([name, all]) => ({ name, count: all.length, example: all[0]?.[1] ?? "" }));
}
