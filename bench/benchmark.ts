import type { BenchBroker } from "./broker";

/** The figures of one run of one contender, by the keys of the benchmark's columns. */
export type Sample = Readonly<Record<string, number>>;

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
}

export interface Contender {
  readonly name: string;
  /** @throws {VoidRun} when what came out does not add up. */
  run(context: Context): Promise<Sample>;
}

/** Warren and what it is compared with, doing the same work. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  readonly needs: readonly ("wrk" | "rabbitmq")[];
  /** The first is the headline: spread and ratio are about it. */
  readonly columns: readonly [Column, ...Column[]];
  readonly warren: Contender;
  readonly baseline: Contender;
  /** What the ratio of Warren to the baseline is to be. An aim, not a condition. */
  readonly aim: { readonly atLeast: number } | { readonly atMost: number };
}

export interface Context {
  /** How long a measurement under load takes. */
  readonly seconds: number;
  /** How many events a benchmark of a fixed amount moves. */
  readonly events: number;
  /** Empty at the start of each run. */
  readonly folder: string;
  /** A private RabbitMQ, started at the first call, with nothing in it at the start of each run. */
  broker(): Promise<BenchBroker>;
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
