/** Lets `perSecond` through on average, and up to one second's worth at once. Takes the time from outside, in milliseconds. */
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

  /** The tokens that were left at the last `take`. */
  get left(): number {
    return this.#tokens;
  }

  /** Takes a token: 0 if there was one, else how many milliseconds until there is, and none is taken. */
  take(now: number): number {
    const most = Math.max(1, this.perSecond);
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
    if (this.#tokens < 1) return ((1 - this.#tokens) / this.perSecond) * 1000;
    this.#tokens -= 1;
    return 0;
  }
}
