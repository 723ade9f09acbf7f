/** Maximum time that such work blocks the event loop. */
const sliceMs = 1;

/**
 * Limits the time that long-running work takes on the event loop. On average it takes `share` of the time (0 to 1), and up to
 * `burstMs` in a row after a rest.
 */
export class TimeShare {
  /** Work done in excess of its share, in milliseconds. */
  #debtMs = 0;
  #at = performance.now();
  #startedAt = 0;

  constructor(
    readonly share: number,
    readonly burstMs: number,
  ) {}

  /** Call this when the work starts, or continues after a pause. */
  start(): void {
    this.#startedAt = performance.now();
  }

  /** True if the work should yield to the event loop. */
  get isUp(): boolean {
    return performance.now() - this.#startedAt >= sliceMs;
  }

  /** Call this when the work pauses. Returns how long it must pause, in milliseconds. */
  stop(): number {
    const now = performance.now();
    const workedMs = now - this.#startedAt;
    this.#debtMs = Math.max(0, this.#debtMs - (now - this.#at) * this.share) + workedMs;
    this.#at = now;
    return Math.max(0, this.#debtMs - this.burstMs) / this.share;
  }

  /** Pauses as long as necessary, at least for one turn of the event loop, then starts again. */
  async rest(): Promise<void> {
    const pauseMs = this.stop();
    if (pauseMs > 0) await Bun.sleep(pauseMs);
    else await new Promise(setImmediate);
    this.start();
  }
}
