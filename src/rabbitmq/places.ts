/** A connection has some 2,000 channels; what opens one for a moment needs few at a time. */
const mostAtOnce = 32;

/** Lets so much work be done at a time; the rest waits for its turn, in the order in which it came. */
export class Places {
  #free = mostAtOnce;
  readonly #waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
