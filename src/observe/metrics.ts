import type { Metric, MetricValueWithName } from "prom-client";
import { type Log, messageOf } from "./logging";
import type { Distribution } from "./tally";

type Labels = Readonly<Record<string, string>>;
/** A value, with the labels that tell it from the others of its metric. */
export type Sample<Value> = readonly [labels: Labels, value: Value];

/** A metric as it is declared: what it is called, what it means, and where its values are read. */
export interface Description<Value> {
  /** As Prometheus has it: base units (`_seconds`, `_bytes`), and `_total` for what only grows. */
  readonly name: string;
  readonly help: string;
  /** Answers what there is now; it is called at each scrape and must not wait. Without a sample the metric has no value. */
  readonly read: () => Iterable<Sample<Value>>;
}

/** How long a scrape waits for what has to be asked from somebody else. */
const askTimeoutMs = 2000;

/**
 * What this process tells Prometheus. Nothing is written in here while the program works: at a scrape it reads what the
 * parts have counted for themselves. So whatever goes wrong here costs a metric, and never an event.
 */
export class Metrics {
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";
  readonly #metrics = new Map<string, Metric<string>>();
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

  /** Asks somebody else for values before each scrape. What is not answered in time is left to the next scrape. */
  beforeScrape(ask: () => Promise<void>): void {
    this.#asks.push(ask);
  }

  /** The text for Prometheus. Scrapes at the same time share one. */
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
    const asked = this.#asks.map((ask, index) => this.#watched(`question ${index + 1}`, ask));
    await Promise.race([Promise.all(asked), timeout]);
    clearTimeout(timer);
    // Here and not above: it would be a tenth of the time that a start takes.
    const { Registry } = await import("prom-client");
    const registry = new Registry();
    for (const metric of this.#metrics.values()) registry.registerMetric(metric);
    return registry.metrics();
  }

  #add<Value>(type: string, { name, help, read }: Description<Value>, show: (name: string, sample: Sample<Value>) => Shown[]): void {
    if (this.#metrics.has(name)) throw new Error(`There is a metric "${name}" already; give this one another name.`);
    const get = async () => ({
      name,
      help,
      type,
      values: (await this.#watched(name, () => [...read()].flatMap((sample) => show(name, sample)))) ?? [],
    });
    // All that the registry asks of a metric; the library's own kinds would want each value to be written into them.
    this.#metrics.set(name, { name, get } as unknown as Metric<string>);
  }

  /** Undefined where it fails; that is said once, until it works again. */
  async #watched<T>(what: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const value = await work();
      this.#failing.delete(what);
      return value;
    } catch (error) {
      if (!this.#failing.has(what)) this.log.warn({ metric: what, error: messageOf(error) }, "A metric could not be read; it is left out");
      this.#failing.add(what);
      return undefined;
    }
  }
}

type Shown = MetricValueWithName<string>;

function plain(metricName: string, [labels, value]: Sample<number>): Shown[] {
  return [{ metricName, labels, value }];
}

function buckets(name: string, [labels, { bounds, counts, sum }]: Sample<Distribution>): Shown[] {
  let total = 0;
  const shown = counts.map((count, place) => {
    total += count;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[place] ?? "+Inf" }, value: total };
  });
  return [...shown, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: total }];
}
