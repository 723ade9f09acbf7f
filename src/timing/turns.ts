/** Lets one piece of work after another use something, in the order in which they ask for it. */
export class Turns {
  #isTaken = false;
  readonly #waiting: (() => void)[] = [];

  /** Takes the turn if nobody has it. Otherwise resolves when it has come. Call {@link end} after the work. */
  take(): Promise<void> | undefined {
    if (this.#isTaken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    return undefined;
  }

  /** Gives the turn to whoever has waited longest. */
  end(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isTaken = false;
  }

  /** Runs synchronous work when its turn has come: at once, if nobody has it. */
  run<T>(work: () => T): Promise<T> {
    if (this.#isTaken) return this.#runLater(work);
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #runLater<T>(work: () => T): Promise<T> {
    await this.take();
    try {
      return work();
    } finally {
      this.end();
    }
  }
}
