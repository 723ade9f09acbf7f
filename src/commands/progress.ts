import { cut } from "./table";
import { counted, duration, number } from "./text";

/** How far it was at a moment. */
export interface Sample {
  readonly at: number;
  readonly share: number;
  readonly count: number;
}

const barWidth = 24;
const redrawEveryMs = 100;
/** In a pipe, a line now and then. */
const lineEveryMs = 5000;
/** What rate and time left are taken from: the last seconds. */
const windowMs = 10_000;
/** A rate from less than this says nothing. */
const settledMs = 1000;

/** How far long work is: a bar on a terminal, a line now and then in a pipe. On standard error, apart from the output. */
export class Progress {
  #samples: Sample[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;
  #drawn = false;

  /** @param what is counted: `event`. */
  constructor(
    readonly what: string,
    readonly stream: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns"> = process.stderr,
    readonly clock: () => number = () => performance.now(),
  ) {}

  /**
   * Tells how far it is; rate and time left begin with the first call.
   *
   * @param share of the work that is done, from 0 to 1.
   */
  update(share: number, count: number): void {
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

  /** Says something in a line of its own. */
  note(text: string): void {
    this.end();
    this.stream.write(`${text}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.stream.isTTY && this.#drawn) this.stream.write("\r\x1b[2K");
    this.#drawn = false;
  }
}

/** `████░░░░  52 %  520,000 events  41,000/s  12 s left` */
export function progressText(what: string, samples: readonly Sample[], width: number): string {
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const ms = last.at - first.at;
  const perSecond = ((last.count - first.count) / ms) * 1000;
  const leftMs = ((1 - last.share) / (last.share - first.share)) * ms;
  const filled = Math.round(last.share * width);
  const parts = [`${Math.floor(last.share * 100)} %`.padStart(5), counted(last.count, what)];
  if (ms >= settledMs) parts.push(`${number(perSecond)}/s`);
  if (ms >= settledMs && Number.isFinite(leftMs)) parts.push(`${duration(leftMs)} left`);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)}${parts.join("  ")}`;
}
