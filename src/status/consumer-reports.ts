import { type ConsumerReport, parseReport, reportEveryMs, stopped } from "../delivery/consumer-report";
import { waitSeconds, workSeconds } from "../observe/tally";
import type { ConsumerStores } from "../store/consumer/stores";
import type { Peers } from "../store/peers";
import { now } from "../timing/clock";
import { type Counts, type Latency, latencyOf } from "./latency";

/** A running consumer, by its latest report. */
export interface ReportedConsumer extends Omit<ConsumerReport, "id" | "handler" | "delay"> {
  /** Attempts that failed: retried or dead-lettered. */
  readonly failed: number;
  readonly handledPerSecond: number;
  readonly failedPerSecond: number;
  readonly handler: Latency | null;
  readonly delay: Latency | null;
}

/** Begins a report among the texts of other processes. */
export const reportPrefix = "report ";

/** Time after which a consumer that has not reported counts as ended, in milliseconds. */
const lostAfterMs = 6 * reportEveryMs;
/** Maximum age of a report, which allows for clocks of other machines, in milliseconds. */
const oldestMs = 300_000;
/** Maximum number of consumers that are remembered. */
const mostConsumers = 1000;

interface Known {
  readonly report: ConsumerReport;
  readonly before: ConsumerReport | undefined;
  /** When it came, by this process. */
  readonly heardAt: number;
}

/** The reports of consumers. They come by themselves, or are read from the stores of consumers when somebody looks. */
export class ConsumerReports {
  /** Counts of all consumers that were heard of. They only grow. */
  readonly totals = {
    handled: 0,
    failed: 0,
    handler: { bounds: workSeconds, counts: new Array<number>(workSeconds.length + 1).fill(0) },
    delay: { bounds: waitSeconds, counts: new Array<number>(waitSeconds.length + 1).fill(0) },
  };
  readonly #known = new Map<string, Known>();

  /** @param consumers where they may leave reports. */
  constructor(
    readonly consumers: Pick<ConsumerStores, "reports">,
    peers?: Peers,
  ) {
    peers?.onTold((text) => {
      if (text.startsWith(reportPrefix)) this.take(text.slice(reportPrefix.length));
    });
  }

  /** Takes a report. Leaves out one that is older than another of the same consumer, or cannot be read. */
  take(text: string): void {
    const report = parseReport(text);
    const known = report && this.#known.get(report.id);
    if (!report || (known && known.report.at >= report.at)) return;
    // One that was killed has left a report behind.
    if (now() - Date.parse(report.at) > oldestMs) return;
    if (report.stage === stopped) return void this.#known.delete(report.id);
    if (!known && this.#known.size >= mostConsumers) return;
    this.#known.set(report.id, { report, before: known?.report, heardAt: now() });
    // The work of one before its first report is not counted as done now.
    if (known) this.#count(known.report, report);
  }

  /** Reads the reports that consumers have left. */
  async look(): Promise<void> {
    for (const text of await this.consumers.reports()) this.take(text);
  }

  /** Returns the consumers that run, by queue. */
  list(): ReportedConsumer[] {
    for (const [id, { heardAt }] of this.#known) if (now() - heardAt > lostAfterMs) this.#known.delete(id);
    return [...this.#known.values()].map(reported).sort((a, b) => (a.queue < b.queue ? -1 : a.queue > b.queue ? 1 : a.pid - b.pid));
  }

  #count(before: ConsumerReport, after: ConsumerReport): void {
    const { totals } = this;
    totals.handled += Math.max(0, after.handled - before.handled);
    totals.failed += Math.max(0, failedOf(after) - failedOf(before));
    for (const name of ["handler", "delay"] as const)
      for (const [place, count] of after[name].entries())
        totals[name].counts[place] = (totals[name].counts[place] ?? 0) + Math.max(0, count - (before[name][place] ?? 0));
  }
}

function failedOf({ retried, deadLettered }: ConsumerReport): number {
  return retried + deadLettered;
}

function reported({ report, before }: Known): ReportedConsumer {
  const { id: _, handler, delay, ...rest } = report;
  const seconds = before ? (Date.parse(report.at) - Date.parse(before.at)) / 1000 : 0;
  const rate = (pick: (report: ConsumerReport) => number) =>
    before && seconds > 0 ? Math.round((Math.max(0, pick(report) - pick(before)) / seconds) * 100) / 100 : 0;
  const of = (bounds: readonly number[], counts: number[]): Counts => ({ bounds, counts });
  return {
    ...rest,
    failed: failedOf(report),
    handledPerSecond: rate(({ handled }) => handled),
    failedPerSecond: rate(failedOf),
    handler: latencyOf(of(workSeconds, handler)),
    delay: latencyOf(of(waitSeconds, delay)),
  };
}
