import type { Lane, LaneProgress, Progress } from "../store/consumer/lanes";

interface Taken {
  readonly position: number;
  isSettled: boolean;
}

/** Maximum number of settled entries to keep. Removing each by itself would move all entries after it. */
const mostDone = 1024;

/** Where a reader is in one lane of the event log: up to where its entries are settled, and up to where they may have been started. */
export class LaneCursor {
  readonly #entries: Taken[] = [];
  /** Number of settled entries at the start of `#entries`. */
  #done = 0;
  #taken: number;
  #begun: number;
  #saved: Progress;
  #lastSettled = 0;
  /** Position up to which an earlier process may have started entries. */
  readonly #suspectUpTo: number;

  constructor(
    readonly lane: Lane,
    start: Progress,
  ) {
    this.#saved = start;
    this.#taken = start.position;
    this.#begun = this.#suspectUpTo = start.begun;
  }

  /** Position up to which all entries of the lane are settled. */
  get position(): number {
    return this.#before(this.#entries[this.#done]);
  }

  /** Position up to which all entries of the lane were taken, or are not wanted. */
  get taken(): number {
    return this.#taken;
  }

  /** Progress to save. */
  get progress(): LaneProgress {
    return { lane: this.lane, position: this.position, begun: this.#begun };
  }

  /** True if it has gone on since its progress was saved. */
  get hasMoved(): boolean {
    return this.position !== this.#saved.position;
  }

  get isSaved(): boolean {
    return !this.hasMoved && this.#begun === this.#saved.begun;
  }

  /** Returns whether an earlier process may have died on an entry. */
  isSuspect(position: number): boolean {
    return position <= this.#suspectUpTo;
  }

  /** Returns whether an entry that was taken later is settled, so that both would come again if this one stays unsettled. */
  isBehindSettled(position: number): boolean {
    return position < this.#lastSettled;
  }

  /** Returns the progress as it will be when entries at these positions are settled, too. */
  progressWith(positions: ReadonlySet<number>): LaneProgress {
    const first = this.#entries.slice(this.#done).find(({ position, isSettled }) => !isSettled && !positions.has(position));
    return { lane: this.lane, position: this.#before(first), begun: this.#begun };
  }

  /** Records that entries up to a position may reach the handler from now on. Returns false if that was recorded before. */
  begin(position: number): boolean {
    if (position <= this.#begun) return false;
    this.#begun = position;
    return true;
  }

  /** Takes the next entry. Returns a function that settles it. */
  take(position: number): () => void {
    this.#taken = position;
    const entry: Taken = { position, isSettled: false };
    this.#entries.push(entry);
    return () => {
      entry.isSettled = true;
      this.#lastSettled = Math.max(this.#lastSettled, position);
      while (this.#entries[this.#done]?.isSettled) this.#done += 1;
      if (this.#done > mostDone) {
        this.#entries.splice(0, this.#done);
        this.#done = 0;
      }
    };
  }

  /** Records that all entries up to a position were looked at. */
  pass(position: number): void {
    this.#taken = Math.max(this.#taken, position);
  }

  /** Records that entries that were started and not settled are no longer in progress. */
  rest(): void {
    this.#begun = this.position;
  }

  /** Records that progress is saved. */
  save(progress: Progress): void {
    this.#saved = progress;
  }

  #before(entry: Taken | undefined): number {
    return entry ? entry.position - 1 : this.#taken;
  }
}
