/** Maximum delay of a JavaScript timer, in milliseconds. A timer with a longer delay fires immediately. */
export const longestTimerMs = 2 ** 31 - 1;

/** Wakes one loop. If the loop is not waiting, its next wait ends immediately, so that no call of `raise` is missed. */
export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  /** Ends the current wait, or the next one if there is none. */
  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Resolves at the next `raise`, or after `timeoutMs`, at most {@link longestTimerMs}. Default: no timeout. */
  async wait(timeoutMs?: number): Promise<void> {
    if (!this.#raised) {
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (timeoutMs !== undefined) timer = setTimeout(resolve, Math.min(timeoutMs, longestTimerMs));
      });
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#raised = false;
  }
}
