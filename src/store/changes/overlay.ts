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
  /** The batch to which the running change belongs. */
  #current: Batch<Write> | undefined;

  /** @param onEarlier called when a change reads what one of an earlier batch has done. Default: does nothing. */
  constructor(readonly onEarlier: () => void = () => {}) {}

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
    if (this.#open.length === 0) this.#current = batch;
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
      if (this.#open.length === 0) this.#current = undefined;
    }
  }

  /** Runs work that sees no uncommitted batch, since its own is committed apart from them. It forgets its own before it returns. */
  apart<T>(work: () => T): T {
    const others = this.#batches.splice(0);
    try {
      return work();
    } finally {
      this.#batches.unshift(...others);
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
    const own = newestIn(this.#open, key);
    if (own !== undefined) return own as T;
    const kept = newestIn(this.#batches, key);
    if (kept !== undefined && this.#current && !this.#current.view.has(key)) this.onEarlier();
    return kept as T | undefined;
  }

  /** Like {@link find}, for a value on which the change does not depend. */
  peek<T>(key: string): T | undefined {
    const own = newestIn(this.#open, key);
    return (own === undefined ? newestIn(this.#batches, key) : own) as T | undefined;
  }

  /** Returns what follows a prefix in each key that has an uncommitted value and begins with it. A key may occur several times. */
  keysAfter(prefix: string): string[] {
    if (this.#hasEarlier(({ view }) => view.size > 0)) this.onEarlier();
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
    if (this.#hasEarlier(({ lists }) => lists.has(key))) this.onEarlier();
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

  #hasEarlier(matches: (batch: Batch<Write>) => boolean): boolean {
    return this.#current !== undefined && this.#batches.some((batch) => batch !== this.#current && matches(batch));
  }

  get #running(): Batch<Write> {
    const running = this.#open.at(-1);
    if (!running)
      throw new Error("Write outside a change, or after the change returned. A change is the function passed to `Commits.run`.");
    return running;
  }
}

/** Returns the value of a key in the last batch that has one. */
function newestIn(batches: readonly Batch[], key: string): unknown {
  for (let index = batches.length - 1; index >= 0; index -= 1) {
    const found = batches[index]?.view.get(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listOf({ lists }: Batch, key: string): unknown[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
