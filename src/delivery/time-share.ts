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
  #slice = 0;

  constructor(
    readonly share: number,
    readonly burstMs: number,
  ) {}

  /** Does a piece of work; answers when the next may be done. */
  async spend(work: () => Promise<void>): Promise<void> {
    const started = performance.now();
    await work();
    const now = performance.now();
    this.#slice += now - started;
    this.#debtMs = Math.max(0, this.#debtMs - (now - this.#at) * this.share) + now - started;
    this.#at = now;
    if (this.#slice < sliceMs) return;
    this.#slice = 0;
    const aheadMs = this.#debtMs - this.burstMs;
    if (aheadMs > 0) await Bun.sleep(aheadMs / this.share);
    else await new Promise(setImmediate);
  }
}
