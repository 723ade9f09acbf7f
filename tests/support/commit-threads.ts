/** The threads that are started while this is in use: to wait for one, or to end it. */
export class CommitThreads {
  readonly #real = globalThis.Worker;
  readonly #opened = Promise.withResolvers<void>();
  readonly workers: Worker[] = [];

  constructor() {
    const watch = (worker: Worker) => {
      this.workers.push(worker);
      worker.addEventListener("message", ({ data }) => {
        if (data.what === "opened") this.#opened.resolve();
      });
    };
    globalThis.Worker = class extends this.#real {
      constructor(...values: ConstructorParameters<typeof Worker>) {
        super(...values);
        watch(this);
      }
    };
  }

  /** Fulfils when the first one can commit. */
  get opened(): Promise<void> {
    // Whoever waits for the same message first has had its turn.
    return this.#opened.promise.then(() => new Promise(setImmediate));
  }

  restore(): void {
    globalThis.Worker = this.#real;
  }
}
