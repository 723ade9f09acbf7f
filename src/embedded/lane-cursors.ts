import type { Lane, LaneProgress, Progress } from "../store/consumer/lanes";
import type { LogEntry } from "../store/log";
import { LaneCursor } from "./lane-cursor";

/** Where a reader of the event log is, in each of the lanes that this process has. It reads the log once for all of them. */
export class LaneCursors implements Iterable<LaneCursor> {
  readonly #cursors = new Map<number, LaneCursor>();
  /** Lanes that are given up. Their cursors stay where they are, and move only as their entries are settled. */
  readonly #closed = new Set<number>();

  /** @param count number of lanes of the queue. */
  constructor(readonly count: number) {}

  [Symbol.iterator](): Iterator<LaneCursor> {
    return this.#cursors.values();
  }

  /** True if there is no lane in which to go on. */
  get isEmpty(): boolean {
    return this.#open.length === 0;
  }

  get #open(): LaneCursor[] {
    return [...this].filter(({ lane }) => !this.#closed.has(lane.number));
  }

  get lanes(): Lane[] {
    return Array.from(this, ({ lane }) => lane);
  }

  /** Position from which to read on. Entries of lanes that are further are read again. */
  get taken(): number {
    return Math.min(...this.#open.map(({ taken }) => taken));
  }

  /** True if it has gone on in a lane since that was saved. */
  get hasMoved(): boolean {
    return [...this].some((cursor) => cursor.hasMoved);
  }

  /** Progress that is not saved yet. */
  get unsaved(): LaneProgress[] {
    return [...this].flatMap(({ isSaved, progress }) => (isSaved ? [] : progress));
  }

  /** Part of the queue's lanes in which this process goes on, from 0 to 1. */
  get part(): number {
    return this.#open.length / this.count;
  }

  of(lane: number): LaneCursor | undefined {
    return this.#cursors.get(lane);
  }

  add(lane: Lane, start: Progress): void {
    this.#cursors.set(lane.number, new LaneCursor(lane, start));
  }

  remove({ number }: Lane): void {
    this.#cursors.delete(number);
    this.#closed.delete(number);
  }

  /** Takes no more entries in a lane, since a later entry would be settled before those that are given back. */
  close({ number }: Lane): void {
    this.#closed.add(number);
  }

  /** Returns the cursor for an entry that was read, or undefined if it is in no lane of this process or was taken before. */
  for({ subject, position }: LogEntry): LaneCursor | undefined {
    const cursor = this.#cursors.get(subject % this.count);
    return cursor && position > cursor.taken && !this.#closed.has(cursor.lane.number) ? cursor : undefined;
  }

  /** Returns the first entries, up to where `room` of them are in lanes of this process and of these types. */
  fitting(entries: readonly LogEntry[], room: number, types: ReadonlySet<string>): readonly LogEntry[] {
    let own = 0;
    const tooMany = entries.findIndex((entry) => {
      if (types.has(entry.type) && this.for(entry)) own += 1;
      return own > room;
    });
    return tooMany < 0 ? entries : entries.slice(0, tooMany);
  }

  /**
   * Records that entries may reach the handler from now on. Returns whether that has to be saved before they do.
   *
   * @param entries entries that were read, as far as they are wanted.
   * @param end position of the last entry that was read.
   */
  begin(entries: readonly LogEntry[], end: number): boolean {
    return entries.filter((entry) => this.for(entry)?.begin(end)).length > 0;
  }

  /** Records that all entries up to a position were looked at. */
  pass(position: number): void {
    for (const cursor of this.#open) cursor.pass(position);
  }

  /** Records that progress is saved. */
  save(progress: readonly LaneProgress[]): void {
    for (const each of progress) this.of(each.lane.number)?.save(each);
  }
}
