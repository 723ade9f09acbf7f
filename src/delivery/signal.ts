/** Wakes one loop. A raise while nobody waits is kept for the next wait, so none is ever missed. */
export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Fulfils at the next raise, or after `timeoutMs`. */
  async wait(timeoutMs?: number): Promise<void> {
    if (!this.#raised) {
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#raised = false;
  }
}
