/** Maximum number of short-lived channels. A connection has about 2,000 channels, and these need only a few at a time. */
const mostAtOnce = 32;

/** Limits how many tasks run at once. The rest wait in order of arrival. */
export class Places {
  #free = mostAtOnce;
  readonly #waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Pass the place to the next waiting task.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
