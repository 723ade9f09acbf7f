import { counted, duration, number } from "../observe/amounts";
import { cut } from "./table";

/** Progress at one moment. */
export interface Measurement {
  readonly at: number;
  /** Finished share of the work, from 0 to 1. Null if unknown. */
  readonly share: number | null;
  readonly count: number;
}

const barWidth = 24;
const redrawEveryMs = 100;
/** Interval between lines of output in a pipe. */
const lineEveryMs = 5000;
/** Period from which the rate and the remaining time are computed. */
const windowMs = 10_000;
/** Minimum period for a meaningful rate. */
const settledMs = 1000;

/** Shows progress on standard error: a bar on a terminal, an occasional line in a pipe. */
export class ProgressReport {
  #samples: Measurement[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;
  #drawn = false;

  /** @param what Singular name of the counted things, such as `event`. */
  constructor(
    readonly what: string,
    readonly stream: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns"> = process.stderr,
    readonly clock: () => number = () => performance.now(),
  ) {}

  /**
   * Reports progress. The rate and the remaining time are measured from the first call.
   *
   * @param share Finished share of the work, from 0 to 1. Null if unknown.
   */
  update(share: number | null, count: number): void {
    const at = this.clock();
    const { isTTY, columns } = this.stream;
    const isFirst = this.#samples.length === 0;
    if (!isFirst && at - this.#drawnAt < (isTTY ? redrawEveryMs : lineEveryMs)) return;
    this.#drawnAt = at;
    this.#samples.push({ at, share, count });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > windowMs) this.#samples.shift();
    if (isFirst && !isTTY) return;
    const text = progressText(this.what, this.#samples, isTTY ? barWidth : 0);
    this.stream.write(isTTY ? `\r\x1b[2K${cut(text, (columns || 80) - 1)}` : `${text}\n`);
    this.#drawn = true;
  }

  /** Prints a message on its own line. */
  note(text: string): void {
    this.end();
    this.stream.write(`${text}\n`);
  }

  /** Removes the bar. */
  end(): void {
    if (this.stream.isTTY && this.#drawn) this.stream.write("\r\x1b[2K");
    this.#drawn = false;
  }
}

/** Formats progress, such as `████░░░░  52 %  520,000 events  41,000/s  12 s left`. */
function progressText(what: string, samples: readonly Measurement[], width: number): string {
  const [first, last] = [samples[0] as Measurement, samples.at(-1) as Measurement];
  const ms = last.at - first.at;
  const perSecond = ((last.count - first.count) / ms) * 1000;
  const { share } = last;
  if (share === null) return [counted(last.count, what), ...(ms >= settledMs ? [`${number(perSecond)}/s`] : [])].join("  ");
  const leftMs = ((1 - share) / (share - (first.share ?? 0))) * ms;
  const filled = Math.round(share * width);
  const parts = [`${Math.floor(share * 100)} %`.padStart(5), counted(last.count, what)];
  if (ms >= settledMs) parts.push(`${number(perSecond)}/s`);
  if (ms >= settledMs && Number.isFinite(leftMs)) parts.push(`${duration(leftMs)} left`);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)}${parts.join("  ")}`;
}
