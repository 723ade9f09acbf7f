/** Rate limiter that allows `perSecond` calls on average, and a burst of one second's worth. The caller passes the time in milliseconds. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  constructor(
    readonly perSecond: number,
    now: number,
  ) {
    this.#tokens = Math.max(1, perSecond);
    this.#at = now;
  }

  /** Number of tokens left after the last `take`. It may be a fraction. */
  get left(): number {
    return Math.max(0, this.#tokens);
  }

  /** Takes a token and returns 0. If none is available, takes none and returns the milliseconds until there is one. */
  take(now: number): number {
    this.#fill(now);
    if (this.#tokens < 1) return ((1 - this.#tokens) / this.perSecond) * 1000;
    this.#tokens -= 1;
    return 0;
  }

  /** Takes tokens that were used elsewhere, also more than there are: their time passes before the next one is available. */
  takeUsed(count: number, now: number): void {
    this.#fill(now);
    this.#tokens -= count;
  }

  #fill(now: number): void {
    const most = Math.max(1, this.perSecond);
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
  }
}
