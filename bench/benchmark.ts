import type { BenchBroker } from "./broker";

/** The figures of one run of one contender, by the keys of the benchmark's columns. */
export type Sample = Readonly<Record<string, number>>;

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
  /** What the ratio of Warren to the baseline is to be. An aim, not a condition. */
  readonly aim?: Aim;
  /** What Warren's own figure is to be, whatever the baseline's. An aim, too. */
  readonly limit?: Aim;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

export interface Contender {
  readonly name: string;
  /** @throws {VoidRun} when what came out does not add up. */
  run(context: Context): Promise<Sample>;
}

/** Warren and what it is compared with, doing the same work; or Warren at two sizes or ages. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly needs: readonly ("wrk" | "rabbitmq")[];
  /** How many, unless somebody asks for another number. Default: 5. */
  readonly rounds?: number;
  /** The first is the headline. */
  readonly columns: readonly [Column, ...Column[]];
  readonly warren: Contender;
  readonly baseline: Contender;
}

export interface Context {
  /** How long a measurement under load takes. */
  readonly seconds: number;
  /** How many events a benchmark of a fixed amount moves. */
  readonly events: number;
  /** How long the load takes after which memory must not have grown. */
  readonly minutes: number;
  /** How much is meant by much: of items, or of events. Undefined: what the benchmark's title says. */
  readonly size: number | undefined;
  /** Empty at the start of each run, and on a disk: in memory a commit would cost nothing. */
  readonly folder: string;
  /** The folder of a database on a disk that was made by Warren's own store, once for all runs: they may not change it much. */
  seeded(seed: Seed): Promise<string>;
  /** A private RabbitMQ, started at the first call, with nothing in it at the start of each run. */
  broker(): Promise<BenchBroker>;
}

/** What is written into a database before a measurement. Every insert and every update is an event. */
export interface Seed {
  readonly items: number;
  /** How many updates of items at random follow. */
  readonly updates: number;
}

/** The run proves nothing: something was lost, refused or came twice. */
export class VoidRun extends Error {
  override readonly name = "VoidRun";
}

/** @throws {VoidRun} when two counts differ that must be the same. */
export function mustEqual(counts: Readonly<Record<string, number>>): void {
  if (new Set(Object.values(counts)).size > 1) {
    throw new VoidRun(
      `these must be the same: ${Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(", ")}`,
    );
  }
}
