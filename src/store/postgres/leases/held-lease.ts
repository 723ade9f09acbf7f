/** Steady time and timers. */
export interface LeaseClock {
  /** Returns milliseconds that never go back, and go on while the process is suspended. */
  now(): number;
  /** Calls `then` after `ms`. Returns a function that prevents this. */
  after(ms: number, then: () => void): () => void;
}

export const systemClock: LeaseClock = {
  now: () => performance.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

/** A lease that this process took. It is lost as soon as another process may have it. */
export class HeldLease {
  readonly #lost = new AbortController();
  #deadline: number;
  #stopTimer = () => {};

  /**
   * @param sentAt time at which the request for the lease was sent. The database counts from its arrival, so this process stops first.
   */
  constructor(
    readonly epoch: number,
    readonly clock: LeaseClock,
    readonly ttlMs: number,
    sentAt: number,
  ) {
    this.#deadline = sentAt + ttlMs;
    this.#watch();
  }

  /** Aborts when the lease is lost. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Returns whether no other process can have the lease now. */
  holds(): boolean {
    if (this.clock.now() >= this.#deadline) this.lose();
    return !this.#lost.signal.aborted;
  }

  /** Notes that a request sent at `sentAt` renewed the lease. A lease that was lost stays lost. */
  renew(sentAt: number): void {
    this.#deadline = Math.max(this.#deadline, sentAt + this.ttlMs);
  }

  lose(): void {
    this.#stopTimer();
    this.#lost.abort();
  }

  #watch(): void {
    this.#stopTimer = this.clock.after(Math.max(0, this.#deadline - this.clock.now()), () => {
      if (this.holds()) this.#watch();
    });
  }
}
