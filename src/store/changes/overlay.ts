/** Uncommitted changes of one change or of a group of changes. */
export interface Batch<Write = unknown> {
  /** The writes of the changes, in the form of the engine, in order. */
  readonly writes: Write[];
  /** Values that later changes read in place of those in the database, by key. */
  readonly view: Map<string, unknown>;
  /** Values that the changes have added to lists, by the key of the list. */
  readonly lists: Map<string, unknown[]>;
  /** Functions to call after the commit. */
  readonly onCommit: (() => void)[];
  /** Ids of the events that the batch adds to the log, in order. */
  readonly eventIds: string[];
}

function newBatch<Write>(): Batch<Write> {
  return { writes: [], view: new Map(), lists: new Map(), onCommit: [], eventIds: [] };
}

/**
 * Holds the uncommitted changes of an engine, in order. Later changes have to see them; readers must not.
 *
 * @template Write a write in the form of the engine.
 */
export class Overlay<Write = unknown> {
  /** Uncommitted batches, oldest first. */
  readonly #batches: Batch<Write>[] = [];
  /** The batch of the running change, and after it those of the parts of the change that run. */
  readonly #open: Batch<Write>[] = [];

  /** Adds a batch for the next changes. */
  begin(): Batch<Write> {
    const batch = newBatch<Write>();
    this.#batches.push(batch);
    return batch;
  }

  /** Runs a part of the running change. If it throws, only the writes of this part are discarded. */
  attempt<T>(part: () => T): T {
    return this.run(this.#running, part);
  }

  /** Runs a change and adds its writes to a batch. If the change throws, its writes are discarded. */
  run<T>(batch: Batch<Write>, change: () => T): T {
    const own = newBatch<Write>();
    this.#open.push(own);
    try {
      const value = change();
      batch.writes.push(...own.writes);
      for (const [key, seen] of own.view) batch.view.set(key, seen);
      for (const [key, values] of own.lists) listOf(batch, key).push(...values);
      batch.onCommit.push(...own.onCommit);
      batch.eventIds.push(...own.eventIds);
      return value;
    } finally {
      this.#open.pop();
    }
  }

  /** Removes a batch that was committed or has failed. */
  forget(batch: Batch<Write>): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1);
  }

  /** Adds a write to the running change. */
  write(write: Write): void {
    this.#running.writes.push(write);
  }

  /** Returns the newest uncommitted value of a key. Returns undefined if there is none; the value in the database is then current. */
  find<T>(key: string): T | undefined {
    for (const batches of [this.#open, this.#batches]) {
      for (let index = batches.length - 1; index >= 0; index -= 1) {
        const found = (batches[index] as Batch<Write>).view.get(key);
        if (found !== undefined) return found as T;
      }
    }
    return undefined;
  }

  /** Returns what follows a prefix in each key that has an uncommitted value and begins with it. A key may occur several times. */
  keysAfter(prefix: string): string[] {
    const keys = [...this.#batches, ...this.#open].flatMap(({ view }) => [...view.keys()]);
    return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  /** Sets the uncommitted value of a key, so that this change and later ones see it. */
  keep(key: string, value: unknown): void {
    this.#running.view.set(key, value);
  }

  /** Adds a value to a list. Unlike a kept value, a list is not copied, so that many changes can add to it. */
  append(key: string, value: unknown): void {
    listOf(this.#running, key).push(value);
  }

  /** Returns the values that uncommitted changes have added to a list. */
  appended<T>(key: string): T[] {
    return [...this.#batches, ...this.#open].flatMap(({ lists }) => (lists.get(key) ?? []) as T[]);
  }

  /** Calls a function after the running change is committed. */
  onCommit(call: () => void): void {
    this.#running.onCommit.push(call);
  }

  /** Records that the running change adds an event. The event's id in the log later shows whether the change was committed. */
  addsEvent(id: string): void {
    this.#running.eventIds.push(id);
  }

  get #running(): Batch<Write> {
    const running = this.#open.at(-1);
    if (!running)
      throw new Error("Write outside a change, or after the change returned. A change is the function passed to `Commits.run`.");
    return running;
  }
}

function listOf({ lists }: Batch, key: string): unknown[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
