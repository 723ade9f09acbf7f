import type { BenchBroker } from "./broker";
import type { BenchPostgres } from "./postgres";

/** Measurements from one run of one contender, by column key. */
export type Sample = Readonly<Record<string, number>>;

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
  /** Target for the ratio of Warren to the baseline. Missing it is not a failure. */
  readonly aim?: Aim;
  /** Target for Warren's own value, regardless of the baseline. Missing it is not a failure. */
  readonly limit?: Aim;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

export interface Contender {
  readonly name: string;
  /** @throws {VoidRun} if the counts of the run do not match. */
  run(context: Context): Promise<Sample>;
}

/** Compares Warren with a baseline that does the same work, or Warren with itself at another size or age. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly needs: readonly ("wrk" | "rabbitmq" | "postgres" | "chromium")[];
  /** Number of rounds unless `--rounds` is given. Default: 5. */
  readonly rounds?: number;
  /** The first column is the headline. */
  readonly columns: readonly [Column, ...Column[]];
  readonly warren: Contender;
  readonly baseline: Contender;
}

export interface Context {
  /** Duration of a measurement under load. */
  readonly seconds: number;
  /** Number of events in a benchmark with a fixed amount of work. */
  readonly events: number;
  /** Duration of the load after which memory is measured. */
  readonly minutes: number;
  /** Number of items or events meant by "many". Undefined selects the number in the benchmark's title. */
  readonly size: number | undefined;
  /** Reports progress of a long preparation. */
  progress(text: string): void;
  /** Empty at the start of each run. It is on a disk, since a commit in memory would cost nothing. */
  readonly folder: string;
  /** Returns the folder of a database on disk, written by Warren's own store. Runs share it, so they must not change it much. */
  seeded(seed: Seed): Promise<string>;
  /** Starts a private RabbitMQ on the first call. It is empty at the start of each run. */
  broker(): Promise<BenchBroker>;
  /** Starts a private PostgreSQL on the first call. */
  postgres(): Promise<BenchPostgres>;
}

/** Content written to a database before a measurement. Every insert and every update is an event. */
export interface Seed {
  readonly items: number;
  /** Number of updates of random items after the inserts. */
  readonly updates: number;
}

/** Thrown when a run is invalid: something was lost, refused or duplicated. */
export class VoidRun extends Error {
  override readonly name = "VoidRun";
}

/**
 * Checks that all counts are equal.
 *
 * @throws {VoidRun} if they differ.
 */
export function mustEqual(counts: Readonly<Record<string, number>>): void {
  if (new Set(Object.values(counts)).size > 1) {
    throw new VoidRun(
      `these counts must be equal: ${Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(", ")}`,
    );
  }
}
