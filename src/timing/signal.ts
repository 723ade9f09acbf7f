import { wakeIn } from "./clock";

/** Wakes one loop. If the loop is not waiting, its next wait ends immediately, so that no call of `raise` is missed. */
export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  /** Ends the current wait, or the next one if there is none. */
  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Resolves at the next `raise`, or after `timeoutMs`, at most about 24 days. Default: no timeout. */
  async wait(timeoutMs?: number): Promise<void> {
    if (!this.#raised) {
      let cancel: (() => void) | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (timeoutMs !== undefined) cancel = wakeIn(timeoutMs, resolve);
      });
      cancel?.();
      this.#wake = undefined;
    }
    this.#raised = false;
  }
}
