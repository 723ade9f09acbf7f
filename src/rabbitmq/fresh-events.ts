import type { LogEntry } from "../store/log";

/** Maximum number of events, and of characters of their bodies. */
const most = { events: 8_192, length: 8 * 1024 * 1024 };

/**
 * The newest events of the log, as they were committed, so that they need not be read from it. The log has the final say: what is missing
 * here is read.
 */
export class FreshEvents {
  #entries: LogEntry[] = [];
  /** Number of entries at the start that were taken. */
  #taken = 0;
  #length = 0;
  /** Position of the last one that was added. Undefined if a later one may have been committed. */
  #end: number | undefined;

  /** Adds the events of the next commit, in order. Undefined: the log has changed, in a way that only the log knows. */
  add(appended: readonly LogEntry[] | undefined): void {
    const [first, last] = [appended?.[0], appended?.at(-1)];
    if (!appended || !first || !last) {
      this.#clear();
      return;
    }
    if (this.#end !== undefined && first.position !== this.#end + 1) this.#clear();
    this.#end = last.position;
    // One by one: a commit may have more events than a call can have arguments.
    for (const entry of appended) {
      this.#length += entry.body.length;
      this.#entries.push(entry);
    }
    if (this.#entries.length - this.#taken > most.events || this.#length > most.length) this.#clear();
  }

  /** Returns up to `count` events after a position, and keeps them no longer. Returns undefined if they have to be read. */
  take(after: number, count: number): LogEntry[] | undefined {
    if (this.#end === after) {
      this.#clear();
      this.#end = after;
      return [];
    }
    while ((this.#entries[this.#taken]?.position ?? Number.POSITIVE_INFINITY) <= after) this.#drop(1);
    if (this.#entries[this.#taken]?.position !== after + 1) return undefined;
    const taken = this.#entries.slice(this.#taken, this.#taken + count);
    this.#drop(taken.length);
    return taken;
  }

  #drop(count: number): void {
    for (let dropped = 0; dropped < count; dropped += 1) {
      this.#length -= this.#entries[this.#taken]?.body.length ?? 0;
      this.#taken += 1;
    }
    if (this.#taken < this.#entries.length && this.#taken < 1024) return;
    this.#entries = this.#entries.slice(this.#taken);
    this.#taken = 0;
  }

  #clear(): void {
    this.#entries = [];
    this.#taken = this.#length = 0;
    this.#end = undefined;
  }
}
