/** Limits the time of some work that takes several steps. */
export class TimeLimit {
  readonly #passed = Promise.withResolvers<never>();
  readonly #timer: Timer;

  constructor(ms: number, error: () => Error) {
    // Nobody may be waiting for it.
    this.#passed.promise.catch(() => {});
    this.#timer = setTimeout(() => this.#passed.reject(error()), ms);
  }

  /**
   * Settles as a step does, or rejects when the time has passed.
   *
   * @param whenLate called with the value of a step that resolves after that.
   */
  async until<T>(step: Promise<T>, whenLate?: (value: T) => void): Promise<T> {
    try {
      return await Promise.race([step, this.#passed.promise]);
    } catch (error) {
      step.then(whenLate, () => {});
      throw error;
    }
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
