// Reads Prometheus metrics: with its own parser, and as values to compare.
import { expect } from "bun:test";

/** Prometheus' own tool, in Debian's package `prometheus`. */
export const promtool = Bun.which("promtool");
/** True to skip tests that need promtool, since it is not installed. */
export const skipPromtool = promtool === null && !process.env["NO_SKIP"];

/** Runs promtool. Fails with its output. */
export async function runPromtool(args: readonly string[], input = ""): Promise<void> {
  const run = Bun.spawn([promtool ?? "promtool", ...args], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  // It exits with 0 despite some findings.
  const complaint = code !== 0 || args[1] === "metrics" ? `${out}${err}` : "";
  expect([args, code, complaint]).toEqual([args, 0, ""]);
}

export interface Scrape {
  readonly text: string;
  /** Labels of the samples, by sample name (including `…_bucket`). A declared metric without samples has none. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
  /** Returns the value of the sample that has these labels, among others. Undefined if there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

/** Parses the text of a scrape. */
export function readScrape(text: string): Scrape {
  const samples = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      expect([line, name]).toEqual([line, expect.stringMatching(/./)]);
      return {
        name,
        value: Number(value),
        labels: new Map([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, of]) => [key, of])),
      };
    });
  const labels = new Map<string, Set<string>>();
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    for (const suffix of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]) labels.set(`${name}${suffix}`, new Set());
  }
  for (const sample of samples) for (const key of sample.labels.keys()) labels.get(sample.name)?.add(String(key));
  return {
    text,
    labels,
    value(name, wanted = {}) {
      const found = samples.filter(
        (sample) => sample.name === name && Object.entries(wanted).every(([key, value]) => sample.labels.get(key) === value),
      );
      if (found.length > 1) throw new Error(`${found.length} samples of ${name} have ${JSON.stringify(wanted)}`);
      return found[0]?.value;
    },
  };
}

export async function scrape(url: string, headers: Record<string, string> = {}): Promise<Scrape> {
  const answer = await fetch(`${url}/metrics`, { headers });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  return readScrape(await answer.text());
}
