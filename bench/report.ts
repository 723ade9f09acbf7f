import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseWords, readCommandLine, UsageError } from "../src/observe/command-line";
import { type Bar, barChart } from "./bar-chart";
import type { Sample } from "./benchmark";
import { format } from "./rounds";
import type { ResultJson } from "./table";
import { type Reached, targetRows } from "./targets";

const help = `Makes the pictures and prints the tables of docs/performance.md, from the results of benchmarks.

  bun run bench targets confirmed-default > figures.jsonl
  bun bench/report.ts docs/performance figures.jsonl

Arguments: the folder of the pictures, and files of JSON lines. Of several results of a benchmark, the last one counts.`;

const { folder, files } = readCommandLine(help, (words) => {
  const [folder, ...files] = parseWords(words, {}).positionals;
  if (folder === undefined || files.length === 0) throw new UsageError("Name a folder and at least one file.");
  return { folder, files };
});

const medians = new Map<string, Sample>();
const targets = new Map<string, Reached>();
for (const line of files.flatMap((file) => readFileSync(file, "utf8").split("\n")).filter(Boolean)) {
  const found = JSON.parse(line) as ({ kind: "result" } & ResultJson) | ({ kind: "target" } & Reached) | { kind: "machine" | "round" };
  if (found.kind === "target") targets.set(found.measure, found);
  else if (found.kind === "result")
    for (const [name, contender] of Object.entries(found.contenders))
      if (contender) medians.set(`${found.name} ${name}`, contender.medians);
}

const publishers = {
  "confirmed warren": "Warren, lazy queue",
  "confirmed peer": "peer, lazy queue",
  "confirmed-default warren": "Warren, default queue",
  "confirmed-default peer": "peer, default queue",
  "confirmed-v2 v2": "Warren, queue of version 2",
  "confirmed-quorum quorum": "Warren, quorum queue",
  "confirmed-sketch sketch": "sketch: in memory, unconfirmed",
  "confirmed-postgres postgres": "Warren on PostgreSQL",
  "confirmed-keys with": "Warren: unique value, reference, rule",
  "confirmed-acting acting": "Warren, a consumer changes each record",
  "confirmed-console console open": "Warren, streams of a console",
  "confirmed-browser browser": "Warren, console in Chromium beside it",
};

const number = (sample: Sample, key: string) => sample[key] ?? 0;
const many = (value: number) => format(value, 0);
const measured = Object.entries(publishers).flatMap(([key, label]) => {
  const sample = medians.get(key);
  return sample ? [{ label, sample }] : [];
});

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

if (measured.length > 0) console.log(`${publisherTable()}\n`);
if (targets.size > 0) console.log(`${markdownTable(targetRows([...targets.values()]))}\n`);

/** Draws one bar for each publisher that has such a figure. */
function draw(name: string, title: string, legend: readonly string[], barOf: (sample: Sample) => Omit<Bar, "label">): void {
  const bars = measured.map(({ label, sample }) => ({ label, ...barOf(sample) })).filter(({ parts }) => parts.some((part) => part > 0));
  if (bars.length === 0) return;
  const used = legend.filter((_, shade) => bars.some(({ parts }) => (parts[shade] ?? 0) > 0));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.svg`), barChart({ title, bars, legend: used }));
}

function publisherTable(): string {
  const pair = (sample: Sample, p50: string, p99: string, digits: number) =>
    sample[p50] === undefined ? "" : `${format(sample[p50], digits)}, ${format(sample[p99], digits)} ms`;
  const rows = measured.map(({ label, sample }) => [
    label,
    `${many(number(sample, "perSecond"))}/s`,
    `${many(number(sample, "answeredPerSecond"))}/s`,
    `${format(sample["lateSeconds"], 2)} s`,
    ["cpuMicros", "brokerMicros", "databaseMicros"].flatMap((key) => (number(sample, key) ? [many(number(sample, key))] : [])).join(" + "),
    pair(sample, "p50Ms", "p99Ms", 1),
    pair(sample, "deliveryP50Ms", "deliveryP99Ms", 0),
  ]);
  const head = ["", "confirmed", "answered", "last confirm", "CPU µs: service + RabbitMQ", "answer p50, p99", "delivery p50, p99"];
  return markdownTable([head, ...rows]);
}

function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
