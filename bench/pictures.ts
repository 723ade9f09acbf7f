import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseWords, readCommandLine, UsageError } from "../src/observe/command-line";
import { type Bar, barChart } from "./bar-chart";
import type { Sample } from "./benchmark";
import { format } from "./rounds";
import type { ResultJson } from "./table";

const help = `Draws the figures of docs/performance.md from the results of benchmarks.

  bun run bench targets > figures.jsonl
  bun bench/pictures.ts docs/performance figures.jsonl

Arguments: the folder of the pictures, and files of JSON lines. Of several results of a benchmark, the last one counts.`;

const { folder, files } = readCommandLine(help, (words) => {
  const [folder, ...files] = parseWords(words, {}).positionals;
  if (folder === undefined || files.length === 0) throw new UsageError("Name a folder and at least one file.");
  return { folder, files };
});

const medians = new Map<string, Sample>();
for (const line of files.flatMap((file) => readFileSync(file, "utf8").split("\n")).filter(Boolean)) {
  const { kind, ...result } = JSON.parse(line) as { kind: string } & ResultJson;
  if (kind !== "result") continue;
  for (const [name, contender] of Object.entries(result.contenders))
    if (contender) medians.set(`${result.name} ${name}`, contender.medians);
}

const publishers = {
  "confirmed warren": "Warren, lazy queue",
  "confirmed peer": "peer, lazy queue",
  "confirmed-default warren": "Warren, default queue",
  "confirmed-default peer": "peer, default queue",
  "confirmed-sketch sketch": "sketch: in memory, unconfirmed",
  "confirmed-postgres postgres": "Warren on PostgreSQL",
  "confirmed-keys with": "Warren: unique value, reference, rule",
  "confirmed-acting acting": "Warren, a consumer changes each record",
  "confirmed-console console open": "Warren, its console open",
};

const number = (sample: Sample, key: string) => sample[key] ?? 0;
const many = (value: number) => format(value, 0);

draw("confirmed", "Events a second that RabbitMQ has confirmed, 64 connections", ["confirmed", "answered beyond that"], (sample) => {
  const [confirmed, answered] = [number(sample, "perSecond"), number(sample, "answeredPerSecond")];
  return { parts: [confirmed, Math.max(0, answered - confirmed)], text: many(confirmed) };
});
draw("cpu", "CPU time of a confirmed event, in microseconds", ["service", "RabbitMQ", "PostgreSQL"], (sample) => {
  const parts = [number(sample, "cpuMicros"), number(sample, "brokerMicros"), number(sample, "databaseMicros")];
  return {
    parts,
    text: parts
      .filter((part) => part > 0)
      .map(many)
      .join(" + "),
  };
});
draw("delivery", "From the change to its delivery at full load, in milliseconds", ["p50", "p99"], (sample) => {
  const [p50, p99] = [number(sample, "deliveryP50Ms"), number(sample, "deliveryP99Ms")];
  return { parts: [p50, p99 - p50], text: `${many(p50)}, p99 ${many(p99)}` };
});

/** Draws one bar for each publisher with a result. */
function draw(name: string, title: string, legend: readonly string[], barOf: (sample: Sample) => Omit<Bar, "label">): void {
  const bars = Object.entries(publishers).flatMap(([key, label]) => {
    const sample = medians.get(key);
    if (!sample) return [];
    const bar = barOf(sample);
    return bar.parts.some((part) => part > 0) ? [{ label, ...bar }] : [];
  });
  if (bars.length === 0) return;
  const used = legend.filter((_, shade) => bars.some(({ parts }) => (parts[shade] ?? 0) > 0));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.svg`), barChart({ title, bars, legend: used }));
}
