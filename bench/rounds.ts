import type { Aim, Benchmark, Column, Contender, Context, Sample } from "./benchmark";
import { median, spread } from "./statistics";

/** Result of a benchmark: the samples of every round, in the order in which they ran. */
export interface Result {
  readonly benchmark: Benchmark;
  readonly warren: readonly Sample[];
  readonly baseline: readonly Sample[];
}

/** One run of one contender. */
export interface Round {
  readonly benchmark: string;
  /** From 1. */
  readonly round: number;
  readonly contender: string;
  readonly sample: Sample;
}

/** Runs both contenders in each round, so that other activity on the machine affects both. The order alternates between rounds. */
export async function runRounds(
  benchmark: Benchmark,
  rounds: number,
  prepare: () => Promise<Context>,
  progress: (text: string) => void,
  measured: (round: Round) => void,
): Promise<Result> {
  const samples = new Map<Contender, Sample[]>([
    [benchmark.warren, []],
    [benchmark.baseline, []],
  ]);
  const [headline] = benchmark.columns;
  for (let round = 0; round < rounds; round += 1) {
    const order = [benchmark.warren, benchmark.baseline];
    for (const contender of round % 2 === 0 ? order : order.reverse()) {
      const place = `${benchmark.name}  round ${round + 1} of ${rounds}  ${contender.name}`;
      progress(`${place} …`);
      const sample = await contender.run(await prepare());
      samples.get(contender)?.push(sample);
      measured({ benchmark: benchmark.name, round: round + 1, contender: contender.name, sample });
      progress(`${place}: ${format(sample[headline.key], headline.digits)} ${headline.label}`);
    }
  }
  return { benchmark, warren: samples.get(benchmark.warren) ?? [], baseline: samples.get(benchmark.baseline) ?? [] };
}

/** Returns the median of each column over the rounds, and the spread of the headline. */
export function summarize({ benchmark }: Result, samples: readonly Sample[]): { medians: Record<string, number>; spread: number } {
  const values = (key: string) => samples.map((sample) => sample[key] ?? Number.NaN);
  const medians = Object.fromEntries(benchmark.columns.map(({ key }) => [key, median(values(key))]));
  return { medians, spread: spread(values(benchmark.columns[0].key)) };
}

/** Ratio of Warren's value to the baseline's, and whether it meets the aim. */
export interface Comparison {
  readonly column: Column;
  readonly aim: Aim;
  /** Median of the ratios of all rounds. */
  readonly ratio: number;
  readonly met: boolean;
}

/** Returns whether a value or a ratio meets an aim. */
function isMet(aim: Aim, value: number): boolean {
  return "atLeast" in aim ? value >= aim.atLeast : value <= aim.atMost;
}

/** Value of Warren with a limit that does not depend on the baseline. */
export interface Limited {
  readonly column: Column;
  readonly limit: Aim;
  /** Median of the rounds. */
  readonly value: number;
  readonly met: boolean;
}

/** Returns one result for each column that has a limit. */
export function limited({ benchmark, warren }: Result): Limited[] {
  return benchmark.columns.flatMap((column) => {
    const { key, limit } = column;
    if (!limit) return [];
    const value = median(warren.map((sample) => sample[key] ?? Number.NaN));
    return [{ column, limit, value, met: isMet(limit, value) }];
  });
}

/** Returns one comparison for each column that has an aim. */
export function compare({ benchmark, warren, baseline }: Result): Comparison[] {
  return benchmark.columns.flatMap((column) => {
    const { key, aim } = column;
    if (!aim) return [];
    const ratio = median(warren.map((sample, round) => (sample[key] ?? Number.NaN) / (baseline[round]?.[key] ?? Number.NaN)));
    return [{ column, aim, ratio, met: isMet(aim, ratio) }];
  });
}

/** Returns the words for an aim. */
export function aimText(aim: Aim, digits: number): string {
  return "atLeast" in aim ? `at least ${format(aim.atLeast, digits)}` : `at most ${format(aim.atMost, digits)}`;
}

export function format(value: number | undefined, digits: number): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
