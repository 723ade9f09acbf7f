import { type Log, messageOf } from "./logging";
import type { Distribution } from "./tally";

type Labels = Readonly<Record<string, string>>;
/** A value, with the labels that identify it within its metric. */
export type Sample<Value> = readonly [labels: Labels, value: Value];

/** Declaration of a metric: its name, its meaning and the source of its values. */
export interface Description<Value> {
  /** Name per Prometheus conventions: base units (`_seconds`, `_bytes`), and `_total` for counters. */
  readonly name: string;
  readonly help: string;
  /** Returns the current samples. Called at each scrape; must not block. Without samples the metric has no value. */
  readonly read: () => Iterable<Sample<Value>>;
}

/** Maximum time that a scrape waits for values from outside the process. */
const askTimeoutMs = 2000;

/**
 * Metrics exposed to Prometheus in its text format, version 0.0.4. A scrape reads the counts that each part keeps for itself. A failure here
 * can cost a metric but never an event.
 */
export class Metrics {
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";
  /** Returns the text of each metric, by name. */
  readonly #metrics = new Map<string, () => Promise<string>>();
  readonly #asks: (() => Promise<void>)[] = [];
  readonly #failing = new Set<string>();
  #rendering: Promise<string> | undefined;

  constructor(readonly log: Log) {}

  counter(description: Description<number>): void {
    this.#add("counter", description, plain);
  }

  gauge(description: Description<number>): void {
    this.#add("gauge", description, plain);
  }

  histogram(description: Description<Distribution>): void {
    this.#add("histogram", description, buckets);
  }

  /**
   * Registers a function that fetches values from outside the process before each scrape. A scrape waits at most 2 s for it; a value that
   * arrives later appears in the next one.
   */
  beforeScrape(ask: () => Promise<void>): void {
    this.#asks.push(ask);
  }

  /** Returns the metrics in Prometheus's text format. Concurrent scrapes share one result. */
  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined;
    });
    return this.#rendering;
  }

  async #render(): Promise<string> {
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, askTimeoutMs);
    });
    const asked = this.#asks.map((ask, index) => this.#watched(`source ${index + 1}`, ask));
    await Promise.race([Promise.all(asked), timeout]);
    clearTimeout(timer);
    const texts = await Promise.all([...this.#metrics.values()].map((text) => text()));
    return texts.join("\n");
  }

  #add<Value>(type: string, { name, help, read }: Description<Value>, show: (name: string, sample: Sample<Value>) => string): void {
    if (this.#metrics.has(name)) throw new Error(`A metric "${name}" already exists; use another name.`);
    const heading = `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    this.#metrics.set(name, async () => {
      const samples = await this.#watched(name, () => Array.from(read(), (sample) => show(name, sample)));
      return heading + (samples ?? []).join("");
    });
  }

  /** Resolves with undefined if `work` fails. Logs the failure once, until `work` succeeds again. */
  async #watched<T>(what: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const value = await work();
      this.#failing.delete(what);
      return value;
    } catch (error) {
      if (!this.#failing.has(what)) this.log.warn({ metric: what, error: messageOf(error) }, "Cannot read a metric; leaving it out");
      this.#failing.add(what);
      return undefined;
    }
  }
}

function plain(name: string, [labels, value]: Sample<number>): string {
  return line(name, labels, value);
}

function buckets(name: string, [labels, { bounds, counts, sum }]: Sample<Distribution>): string {
  let total = 0;
  const lines = counts.map((count, place) => {
    total += count;
    return line(`${name}_bucket`, { ...labels, le: String(bounds[place] ?? "+Inf") }, total);
  });
  return `${lines.join("")}${line(`${name}_sum`, labels, sum)}${line(`${name}_count`, labels, total)}`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text).replaceAll('"', '\\"')}"`);
  const shown = String(value).replace(/^-?Infinity$/, value > 0 ? "+Inf" : "-Inf");
  return `${name}${pairs.length > 0 ? `{${pairs.join()}}` : ""} ${shown}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
