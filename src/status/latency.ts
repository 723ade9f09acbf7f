import type { Distribution } from "../observe/tally";

/** How long something takes, in seconds. */
export interface Latency {
  /** Half of all took no longer. */
  readonly p50: number;
  /** 99 of 100 took no longer. */
  readonly p99: number;
  readonly count: number;
}

/** Period that a latency covers, in milliseconds. */
const windowMs = 60_000;

/** The counts of a {@link Distribution}, which may be those of several. */
export type Counts = Pick<Distribution, "bounds" | "counts">;

/** Follows a distribution that grows, and returns the latency of what was recorded lately. */
export class RecentLatency {
  readonly #read: () => Counts;
  #snapshots: { readonly at: number; readonly counts: readonly number[] }[] = [];

  constructor(read: () => Counts) {
    this.#read = read;
  }

  /**
   * Returns the latency of what was recorded since the newest look that is a minute ago or more. Without one, since the start. Null if
   * nothing was recorded.
   *
   * @param at time of the look, in milliseconds.
   */
  look(at: number): Latency | null {
    const { bounds, counts } = this.#read();
    const newer = this.#snapshots.findIndex((snapshot) => at - snapshot.at < windowMs);
    const base = this.#snapshots.at(newer === -1 ? -1 : newer - 1);
    const isOver = base !== undefined && at - base.at >= windowMs;
    if (isOver) this.#snapshots = this.#snapshots.slice(this.#snapshots.indexOf(base));
    this.#snapshots.push({ at, counts: [...counts] });
    return latencyOf({ bounds, counts: isOver ? counts.map((count, place) => count - (base.counts[place] ?? 0)) : counts });
  }
}

/** Returns the latency of counted values, between the bounds of their ranges. Null if there are none. */
export function latencyOf({ bounds, counts }: Counts): Latency | null {
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (count <= 0) return null;
  return { p50: quantile(0.5, bounds, counts, count), p99: quantile(0.99, bounds, counts, count), count };
}

function quantile(share: number, bounds: readonly number[], counts: readonly number[], total: number): number {
  const wanted = share * total;
  let passed = 0;
  for (const [place, count] of counts.entries()) {
    const upper = bounds[place];
    // Above every bound, the last one is all that is known.
    if (upper === undefined) break;
    const lower = bounds[place - 1] ?? 0;
    if (count > 0 && passed + count >= wanted) return rounded(lower + ((wanted - passed) / count) * (upper - lower));
    passed += count;
  }
  return bounds.at(-1) ?? 0;
}

function rounded(seconds: number): number {
  return Number(seconds.toPrecision(3));
}
