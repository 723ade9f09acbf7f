/** A call of a transaction. It notes whether it was awaited, which a promise does not tell. */
export class Operation<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = "Promise";
  readonly #result: Promise<T>;
  #isAwaited = false;

  /** @param what names the call in error messages: `tx.update("account", 7)`. */
  constructor(
    readonly what: string,
    result: Promise<T>,
  ) {
    // Prevents an unhandled rejection of a call that is not awaited.
    if (Bun.peek.status(result) !== "fulfilled") result.catch(() => {});
    this.#result = result;
  }

  /** True if the transaction must not end yet: nobody has waited for the result. */
  get isForgotten(): boolean {
    return !this.#isAwaited || Bun.peek.status(this.#result) === "pending";
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited is what this class is for.
  then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isAwaited = true;
    return this.#result.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(undefined, rejected);
  }

  finally(settled?: (() => void) | null): Promise<T> {
    this.#isAwaited = true;
    return this.#result.finally(settled);
  }
}
