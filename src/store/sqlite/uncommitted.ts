/** What a parameter of a statement may be. */
export type Value = string | number | null;

/** Runs of statements, by their numbers, in the order in which they are to be made. */
export type Writes = readonly { readonly statement: number; readonly values: readonly Value[] }[];

/** Notes one run of a statement, to be committed with the change that runs. */
export type Write = (...values: Value[]) => void;

/** What one change has written, or a group of them, until it is committed. */
export interface Batch {
  readonly writes: Writes[number][];
  readonly view: Map<string, unknown>;
  readonly onCommit: (() => void)[];
  /** The ids of the events that it adds to the log, in their order. */
  readonly eventIds: string[];
}

const newBatch = (): Batch => ({ writes: [], view: new Map(), onCommit: [], eventIds: [] });

/**
 * What changes have written and is not committed yet, in their order. Those that come after them have to see it; nobody
 * else may.
 */
export class Uncommitted {
  /** The statements, by their numbers. */
  readonly sql: string[] = [];
  /** The oldest first. */
  readonly #batches: Batch[] = [];
  #ofChange: Batch | undefined;
  #hasBegun = false;

  /** @throws {Error} once there was a change: whoever commits knows the statements that there are by then. */
  prepare(sql: string): Write {
    if (this.#hasBegun) throw new Error(`Prepared too late, as changes are under way: ${sql}`);
    const number = this.sql.push(sql) - 1;
    return (...values) => {
      this.#running.writes.push({ statement: number, values });
    };
  }

  /** For the next changes. */
  begin(): Batch {
    this.#hasBegun = true;
    const batch = newBatch();
    this.#batches.push(batch);
    return batch;
  }

  /** Runs a change of the newest batch. What it has written is forgotten when it throws. */
  run<T>(batch: Batch, change: () => T): T {
    const own = newBatch();
    this.#ofChange = own;
    try {
      const value = change();
      batch.writes.push(...own.writes);
      for (const [key, seen] of own.view) batch.view.set(key, seen);
      batch.onCommit.push(...own.onCommit);
      batch.eventIds.push(...own.eventIds);
      return value;
    } finally {
      this.#ofChange = undefined;
    }
  }

  /** It is committed, or will not be. */
  forget(batch: Batch): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1);
  }

  /** What is known under a key since the last commit; undefined: nothing, so that the database has it. */
  find<T>(key: string): T | undefined {
    const own = this.#ofChange?.view.get(key);
    if (own !== undefined) return own as T;
    for (let index = this.#batches.length - 1; index >= 0; index -= 1) {
      const found = (this.#batches[index] as Batch).view.get(key);
      if (found !== undefined) return found as T;
    }
    return undefined;
  }

  /** Lets the changes that come after see what this one has written. */
  keep(key: string, value: unknown): void {
    this.#running.view.set(key, value);
  }

  onCommit(call: () => void): void {
    this.#running.onCommit.push(call);
  }

  /** Notes that the change adds an event to the log, by which it is known afterwards whether it was made. */
  addsEvent(id: string): void {
    this.#running.eventIds.push(id);
  }

  get #running(): Batch {
    if (!this.#ofChange)
      throw new Error("Written outside of a change, or after it has returned: a change is what GroupCommit.run is given.");
    return this.#ofChange;
  }
}
