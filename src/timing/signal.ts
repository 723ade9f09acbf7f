/** The longest that a timer of JavaScript can wait, in milliseconds: one set for longer fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Wakes one loop. A raise while nobody waits is kept for the next wait, so none is ever missed. */
export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Fulfils at the next raise, or after `timeoutMs`; a wait that no timer is long enough for ends early. */
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
