/** Collects the commit threads started while it is in use, so that a test can wait for one or end it. */
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

  /** Resolves when the first thread can commit. */
  get opened(): Promise<void> {
    // Let earlier listeners for the same message run first.
    return this.#opened.promise.then(() => new Promise(setImmediate));
  }

  restore(): void {
    globalThis.Worker = this.#real;
  }
}
