// What the Overview draws: some numbers of each second and minute, in memory of this process.

/** Counts and levels at one moment. Counts only grow; undefined: not looked at. */
export interface Sample {
  /** Position of the newest event. */
  readonly committed?: number | undefined;
  /** Position up to which RabbitMQ has confirmed every event. */
  readonly confirmed?: number | undefined;
  /** Number of events handled by all consumers, since any time. */
  readonly handled?: number | undefined;
  /** Number of attempts that failed, since any time. */
  readonly failed?: number | undefined;
  readonly waiting?: readonly { readonly queue: string; readonly messages: number | null }[] | undefined;
}

const counters = ["committed", "confirmed", "handled", "failed"] as const;
type Counter = (typeof counters)[number];

/** Rates per second, and events that waited, of equal parts of time. Null: not known. */
export interface History extends Readonly<Record<Counter, readonly (number | null)[]>> {
  readonly from: string;
  readonly to: string;
  readonly stepSeconds: number;
  readonly queues: readonly { readonly queue: string; readonly waiting: readonly (number | null)[] }[];
}

/** The parts of time that a history can show, each with at most 300 points. */
export const ranges = {
  "15m": { minutes: 15, stepSeconds: 3 },
  "1h": { minutes: 60, stepSeconds: 60 },
  "6h": { minutes: 360, stepSeconds: 120 },
  "24h": { minutes: 1440, stepSeconds: 300 },
} as const;
export type Range = keyof typeof ranges;

/** Period of the mean of what was handled, in milliseconds. Consumers report every 5 seconds: the rate of a shorter step would rise and fall with that. */
const handledMeanMs = 15_000;

/** Maximum number of queues whose waiting events are kept. */
const mostQueues = 50;

/** Keeps samples: those of each second for 15 minutes, and of each minute for a day. Takes less than 1 MB. */
export class StatusHistory {
  readonly #seconds = new Ring(1000, 15 * 60);
  readonly #minutes = new Ring(60_000, 24 * 60);

  /** @param at milliseconds since 1970. */
  add(at: number, sample: Sample): void {
    this.#seconds.add(at, sample);
    this.#minutes.add(at, sample);
  }

  /** @param now milliseconds since 1970. */
  read(range: Range, now: number): History {
    const { minutes, stepSeconds } = ranges[range];
    const ring = range === "15m" ? this.#seconds : this.#minutes;
    const stepMs = stepSeconds * 1000;
    const to = Math.floor(now / stepMs) * stepMs + stepMs;
    const from = to - minutes * 60_000;
    const rates = Object.fromEntries(counters.map((counter) => [counter, ring.rates(counter, { from, to, stepMs, now })])) as Record<
      Counter,
      (number | null)[]
    >;
    return {
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), stepSeconds },
      ...rates,
      queues: ring.queues.map((queue) => ({ queue, waiting: ring.levels(queue, from, to, stepMs) })),
    };
  }
}

interface Part {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  readonly now: number;
}

/** Samples of equal parts of time. One that is full overwrites the oldest. */
class Ring {
  /** Number of the part of time in each place, since 1970. */
  readonly #parts: Float64Array;
  readonly #counts: Readonly<Record<Counter, Float64Array>>;
  readonly #waiting = new Map<string, Float32Array>();

  constructor(
    readonly partMs: number,
    readonly size: number,
  ) {
    this.#parts = new Float64Array(size).fill(Number.NaN);
    const empty = () => new Float64Array(size).fill(Number.NaN);
    this.#counts = { committed: empty(), confirmed: empty(), handled: empty(), failed: empty() };
  }

  get queues(): string[] {
    return [...this.#waiting.keys()];
  }

  /** A later sample of the same part of time completes and replaces an earlier one. */
  add(at: number, sample: Sample): void {
    const part = Math.floor(at / this.partMs);
    const place = part % this.size;
    if (this.#parts[place] !== part) {
      this.#parts[place] = part;
      for (const counter of counters) this.#counts[counter][place] = Number.NaN;
      for (const levels of this.#waiting.values()) levels[place] = Number.NaN;
    }
    for (const counter of counters) {
      const value = sample[counter];
      if (value !== undefined) this.#counts[counter][place] = value;
    }
    for (const { queue, messages } of sample.waiting ?? []) {
      const levels = this.#levelsOf(queue);
      if (levels) levels[place] = messages ?? Number.NaN;
    }
  }

  /**
   * Returns the rates of a counter. What was committed and confirmed is known for each second since the first sample: without a sample,
   * nothing was. What consumers have done is known only where there is a sample, as the mean since the one before, or of 15 seconds for what
   * was handled.
   */
  rates(counter: Counter, { from, to, stepMs, now }: Part): (number | null)[] {
    const rates: (number | null)[] = [];
    const isComplete = counter === "committed" || counter === "confirmed";
    let last = this.#before(counter, from);
    const samples = last ? [last] : [];
    for (let start = from; start < to; start += stepMs) {
      const next = this.#lastIn(counter, start, start + stepMs);
      if (!next) rates.push(isComplete && last ? 0 : null);
      else if (!last) rates.push(null);
      else {
        const since = (counter === "handled" && samples.find(({ at }) => at >= next.at - handledMeanMs)) || last;
        // The last step is not over yet.
        const spanMs = isComplete ? Math.min(stepMs, now - start) : next.at - since.at;
        rates.push(Math.round((Math.max(0, next.value - since.value) / Math.max(1000, spanMs)) * 100_000) / 100);
      }
      if (next) samples.push(next);
      last = next ?? last;
    }
    return rates;
  }

  levels(queue: string, from: number, to: number, stepMs: number): (number | null)[] {
    const levels = this.#waiting.get(queue);
    const found: (number | null)[] = [];
    for (let start = from; start < to; start += stepMs) found.push((levels && this.#lastOf(levels, start, start + stepMs)?.value) ?? null);
    return found;
  }

  #levelsOf(queue: string): Float32Array | undefined {
    const known = this.#waiting.get(queue);
    if (known || this.#waiting.size >= mostQueues) return known;
    const levels = new Float32Array(this.size).fill(Number.NaN);
    this.#waiting.set(queue, levels);
    return levels;
  }

  #lastIn(counter: Counter, start: number, end: number): { at: number; value: number } | undefined {
    return this.#lastOf(this.#counts[counter], start, end);
  }

  /** Returns the newest sample before a time. */
  #before(counter: Counter, time: number): { at: number; value: number } | undefined {
    return this.#lastOf(this.#counts[counter], time - this.size * this.partMs, time);
  }

  #lastOf(values: Float64Array | Float32Array, start: number, end: number): { at: number; value: number } | undefined {
    const first = Math.floor(start / this.partMs);
    for (let part = Math.ceil(end / this.partMs) - 1; part >= first; part -= 1) {
      const place = ((part % this.size) + this.size) % this.size;
      const value = values[place] as number;
      if (this.#parts[place] === part && !Number.isNaN(value)) return { at: part * this.partMs, value };
    }
    return undefined;
  }
}
