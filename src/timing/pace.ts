/** Seconds of work that may wait. */
const mostSeconds = 0.5;
/** The rate is measured over at least this time, in milliseconds. A part of it is taken on, so that a short pause has little effect. */
const measuredMs = 100;
const takenOn = 0.3;
/** Number of positions that may wait in any case. */
const leastCeiling = 64;
/** Time without a confirm after which the other side counts as away, in milliseconds. */
const awayMs = 500;
/** Longest wait of a caller, in milliseconds. */
const longestWaitMs = 1_000;
const lookEveryMs = 100;

interface Waiting {
  readonly since: number;
  go(): void;
}

/**
 * Slows down callers that produce faster than the other side confirms, so that at most half a second of its work waits. While it is away,
 * or confirms nothing, nobody is slowed down. What it finds when it is back may grow no further, and decreases by half of what is confirmed.
 *
 * Both sides are positions of the same log.
 */
export class Pace {
  #produced = 0;
  #confirmed = 0;
  /** Time of the last confirm, or since when there is something to confirm, by `performance.now()`. */
  #confirmedAt = 0;
  #isAway = true;
  #hasEnded = false;
  /** Confirms in a second. Undefined until it was measured while there was always something to confirm. */
  #rate: number | undefined;
  /** Since when, and from where on, the rate is measured. */
  #measured = { at: 0, from: 0 };
  /** Number of positions that may wait at the moment. */
  #ceiling = Number.POSITIVE_INFINITY;
  readonly #waiting: Waiting[] = [];
  /** Number of callers that have waited, and whose work is under way. */
  #entered = 0;
  #timer: Timer | undefined;

  /** Positions that are not confirmed. */
  get backlog(): number {
    return this.#produced - this.#confirmed;
  }

  /** True while a caller waits. */
  get isHolding(): boolean {
    return this.#waiting.length > 0;
  }

  /** Returns undefined if the caller can go on. Otherwise resolves when it can; it then calls {@link leave} at the end of its work. */
  enter(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#hasRoom) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push({ since: performance.now(), go: resolve });
      this.#timer ??= setInterval(() => this.#look(), lookEveryMs);
    });
  }

  leave(): void {
    this.#entered -= 1;
    this.#release();
  }

  /** Notes the last position that was produced. */
  producedTo(position: number): void {
    if (this.backlog <= 0) this.#measureFrom(performance.now());
    this.#produced = Math.max(position, this.#confirmed);
  }

  /** Notes the position up to which all is confirmed. */
  confirmedTo(position: number): void {
    if (position === this.#confirmed) return;
    const now = performance.now();
    const count = position - this.#confirmed;
    this.#confirmed = position;
    this.#produced = Math.max(position, this.#produced);
    if (this.#isAway || count < 0) {
      this.#isAway = false;
      this.#measureFrom(now);
      this.#ceiling = this.#rate === undefined ? Number.POSITIVE_INFINITY : Math.max(this.#target, this.backlog);
    } else {
      this.#confirmedAt = now;
      if (now - this.#measured.at >= measuredMs) this.#measure(now);
      this.#ceiling = Math.max(this.#target, this.#ceiling - count / 2);
    }
    if (this.#waiting.length > 0) this.#release();
  }

  /** Slows nobody down until something is confirmed again: the other side is away, or has a reason to wait. */
  open(): void {
    this.#isAway = true;
    this.#rate = undefined;
    this.#release();
  }

  /** Slows nobody down any more: the service stops, and what is under way has little time. */
  end(): void {
    this.#hasEnded = true;
    this.#release();
  }

  get #target(): number {
    return this.#rate === undefined ? Number.POSITIVE_INFINITY : Math.max(leastCeiling, this.#rate * mostSeconds);
  }

  get #hasRoom(): boolean {
    return this.#hasEnded || this.#isAway || this.backlog + this.#entered < this.#ceiling;
  }

  #measureFrom(now: number): void {
    this.#confirmedAt = now;
    this.#measured = { at: now, from: this.#confirmed };
  }

  #measure(now: number): void {
    const { at, from } = this.#measured;
    const rate = ((this.#confirmed - from) * 1000) / (now - at);
    const isFirst = this.#rate === undefined;
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) * takenOn;
    if (isFirst) this.#ceiling = Math.max(this.#target, this.backlog);
    this.#measureFrom(now);
  }

  #release(): void {
    while (this.#waiting.length > 0 && this.#hasRoom) this.#go();
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #go(): void {
    this.#entered += 1;
    this.#waiting.shift()?.go();
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#confirmedAt >= awayMs) this.#isAway = true;
    while ((this.#waiting[0]?.since ?? now) <= now - longestWaitMs) this.#go();
    this.#release();
  }
}
