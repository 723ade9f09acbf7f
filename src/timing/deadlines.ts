interface Deadline {
  /** By `performance.now()`. */
  readonly at: number;
  readonly passed: () => void;
}

/** Deadlines that are all equally far, with one timer: most end before it, and a timer for each takes longer than many of them. */
export class Deadlines {
  /** In the order in which they pass. */
  readonly #running = new Set<Deadline>();
  #timer: Timer | undefined;

  constructor(readonly ms: number) {}

  /** Starts a deadline. Calls `passed` when it passes, unless the function that this returns is called before. */
  start(passed: () => void): () => void {
    const deadline = { at: performance.now() + this.ms, passed };
    this.#running.add(deadline);
    this.#timer ??= setTimeout(() => this.#look(), this.ms);
    return () => void this.#running.delete(deadline);
  }

  /** Ends all. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running.clear();
  }

  #look(): void {
    this.#timer = undefined;
    for (const deadline of this.#running) {
      const leftMs = deadline.at - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#look(), Math.ceil(leftMs));
        return;
      }
      this.#running.delete(deadline);
      deadline.passed();
    }
  }
}
