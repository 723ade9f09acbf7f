/** Locks on keys, within this process. Each is held by one at a time, in the order in which they were asked for. */
export class KeyLocks {
  /** The last one in the queue of each key. */
  readonly #last = new Map<string, Promise<void>>();

  /** Returns whether any of these keys is held, or waited for. */
  areHeld(keys: Iterable<string>): boolean {
    for (const key of keys) if (this.#last.has(key)) return true;
    return false;
  }

  /**
   * Waits until all keys are free. Resolves with a function that releases them; calling it again has no effect.
   *
   * Whoever holds some keys must not ask for more: two of them could wait for each other.
   */
  async acquire(keys: Iterable<string>): Promise<() => void> {
    const releases: (() => void)[] = [];
    // In one order, so that no two wait for each other.
    for (const key of [...new Set(keys)].sort()) {
      const before = this.#last.get(key);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#last.set(key, promise);
      releases.push(() => {
        resolve();
        if (this.#last.get(key) === promise) this.#last.delete(key);
      });
      await before;
    }
    return () => {
      for (const release of releases) release();
    };
  }
}
