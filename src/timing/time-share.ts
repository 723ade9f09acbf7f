/** The longest that such work holds up the event loop at a time. */
const sliceMs = 1;

/**
 * Leaves the event loop to others: work that goes on and on takes `share` of the time (0 to 1) in the long run, and up
 * to `burstMs` of work at once after a rest.
 */
export class TimeShare {
  /** Work that was done ahead of its share. */
  #debtMs = 0;
  #at = performance.now();
  #startedAt = 0;

  constructor(
    readonly share: number,
    readonly burstMs: number,
  ) {}

  /** The work begins, or goes on after others had their turn. */
  start(): void {
    this.#startedAt = performance.now();
  }

  /** Whether it is time to let others have their turn. */
  get isUp(): boolean {
    return performance.now() - this.#startedAt >= sliceMs;
  }

  /** The work pauses for now. Answers for how long it must, in milliseconds. */
  stop(): number {
    const now = performance.now();
    const workedMs = now - this.#startedAt;
    this.#debtMs = Math.max(0, this.#debtMs - (now - this.#at) * this.share) + workedMs;
    this.#at = now;
    return Math.max(0, this.#debtMs - this.burstMs) / this.share;
  }

  /** Lets others have their turn, then starts again. */
  async rest(): Promise<void> {
    const pauseMs = this.stop();
    if (pauseMs > 0) await Bun.sleep(pauseMs);
    else await new Promise(setImmediate);
    this.start();
  }
}
