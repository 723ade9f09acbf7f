import type { Aim, Benchmark } from "./benchmark";
import { confirmed, confirmedPostgres, confirmedSketch } from "./benchmarks/confirmed";
import { consumer, consumerOnce } from "./benchmarks/consumer";
import { get } from "./benchmarks/get";
import { post } from "./benchmarks/post";
import { start } from "./benchmarks/start";
import { aimText, compare, format, limited, type Result } from "./rounds";

/** An aim of the project. The aim itself is that of the column: for its ratio, or for Warren's own value. */
interface Target {
  readonly measure: string;
  readonly benchmark: Benchmark;
  readonly key: string;
  /** Unit of Warren's own value. */
  readonly unit?: string;
}

const targets: readonly Target[] = [
  { measure: "confirmed events a second against a peer that does the same work", benchmark: confirmed, key: "perSecond" },
  { measure: "last confirm after the load", benchmark: confirmed, key: "lateSeconds", unit: "s" },
  { measure: "CPU of the service for a confirmed event", benchmark: confirmed, key: "cpuMicros", unit: "µs" },
  { measure: "POST without a broker against the echo", benchmark: post, key: "perSecond" },
  { measure: "confirmed events a second against the sketch in memory", benchmark: confirmedSketch, key: "perSecond" },
  { measure: "GET against the echo", benchmark: get, key: "perSecond" },
  { measure: "start to the first 201 against a bare Elysia", benchmark: start, key: "ms" },
  { measure: "consumer against amqplib", benchmark: consumer, key: "perSecond" },
  { measure: "consumer with exactly-once effects against amqplib", benchmark: consumerOnce, key: "perSecond" },
  { measure: "confirmed events a second on PostgreSQL against SQLite", benchmark: confirmedPostgres, key: "perSecond" },
];

/** The benchmarks of all targets, each once. */
export const targetBenchmarks: readonly Benchmark[] = [...new Set(targets.map(({ benchmark }) => benchmark))];

/** How far a target is reached. */
export interface Reached {
  readonly measure: string;
  /** A ratio, or Warren's own value in `unit`. */
  readonly now: number;
  readonly unit: string;
  readonly aim: Aim;
  readonly met: boolean;
}

/** Returns one entry for each target whose benchmark has a result. */
export function reached(results: readonly Result[]): Reached[] {
  return targets.flatMap(({ measure, benchmark, key, unit = "" }) => {
    const result = results.find((each) => each.benchmark === benchmark);
    if (!result) return [];
    const ratio = compare(result).find(({ column }) => column.key === key);
    if (ratio) return [{ measure, now: ratio.ratio, unit, aim: ratio.aim, met: ratio.met }];
    const value = limited(result).find(({ column }) => column.key === key);
    return value ? [{ measure, now: value.value, unit, aim: value.limit, met: value.met }] : [];
  });
}

/** Returns the rows of a table of targets, the first of them its head. */
export function targetRows(all: readonly Reached[]): string[][] {
  const withUnit = (text: string, unit: string) => (unit ? `${text} ${unit}` : text);
  const rows = all.map(({ measure, now, unit, aim, met }) => [
    measure,
    withUnit(format(now, 2), unit),
    withUnit(aimText(aim, 2), unit),
    met ? "met" : "missed",
  ]);
  return [["measure", "now", "target", ""], ...rows];
}
