import { matchesSelection, parseSelection, type ReplaySelection } from "../delivery/replay-selection";
import type { Lane, LaneProgress } from "../store/consumer/lanes";
import type { LaneReplay } from "../store/consumer/replay-table";
import type { ConsumerData } from "../store/consumer/store";
import type { LogEntry } from "../store/log";
import type { ReplayRow } from "../store/replay";
import { TokenBucket } from "../timing/token-bucket";
import { LaneCursors } from "./lane-cursors";

/** A replay that a consumer without a broker runs itself: a second reader of the event log. */
export class RunningReplay {
  readonly id: string;
  readonly selection: ReplaySelection;
  readonly cursors: LaneCursors;
  /** Number of events sent in each lane. */
  readonly #sent = new Map<number, number>();
  readonly #last: number;
  #bucket: TokenBucket | undefined;
  /** True if it is finished in the lanes of this process, and that is recorded. */
  isDone = false;
  /** Time when its rate allows the next event, by `performance.now()`. Reading the log earlier is useless. */
  #allowedAt = 0;

  /**
   * @param wanted event types that the consumer handles.
   * @param lanes number of lanes of the queue.
   */
  constructor(
    row: ReplayRow,
    readonly data: ConsumerData,
    readonly wanted: ReadonlySet<string>,
    lanes: number,
  ) {
    this.id = row.id;
    this.selection = parseSelection(row.selection);
    this.cursors = new LaneCursors(lanes);
    this.#last = row.last;
  }

  /** Replays lanes that this process has got. */
  async addLanes(lanes: readonly Lane[]): Promise<void> {
    const progress = await this.data.replays.takeLanes(this.id, lanes);
    for (const [index, lane] of lanes.entries()) {
      const { position, begun, sent } = progress[index] ?? { position: this.#last, begun: this.#last, sent: 0 };
      this.cursors.add(lane, { position, begun });
      this.#sent.set(lane.number, sent);
    }
    if (lanes.length > 0) this.isDone = false;
    this.#limit();
  }

  removeLane(lane: Lane): void {
    this.cursors.remove(lane);
    this.#limit();
  }

  /** Limits the rate of this process to the share of its lanes, so that the rates of all make that of the replay. */
  #limit(): void {
    const { rate } = this.selection;
    const lanes = this.cursors.lanes.length;
    if (rate !== null && lanes > 0) this.#bucket = new TokenBucket((rate * lanes) / this.cursors.count, performance.now());
  }

  /** Number of events sent in the lanes of this process. */
  get sent(): number {
    return this.cursors.lanes.reduce((sum, { number }) => sum + (this.#sent.get(number) ?? 0), 0);
  }

  /** Counts an event as sent, or no longer as sent. */
  count({ number }: Lane, change: 1 | -1): void {
    this.#sent.set(number, (this.#sent.get(number) ?? 0) + change);
  }

  wants(entry: LogEntry): boolean {
    return this.wanted.has(entry.type) && matchesSelection(this.selection, entry);
  }

  /** Returns the entries that belong to its part of the log. */
  ofItsOwn(entries: readonly LogEntry[]): LogEntry[] {
    return entries.filter((entry) => entry.position <= this.#last);
  }

  /** True if all of its part of the log was read in the lanes of this process. */
  get isRead(): boolean {
    return this.cursors.taken >= this.#last;
  }

  /** Records that all of its part of the log was read. */
  endReading(): void {
    this.cursors.pass(this.#last);
  }

  /** True if everything in the lanes of this process is settled, and nothing is left to read. */
  get isSettled(): boolean {
    return [...this.cursors].every(({ position }) => position >= this.#last);
  }

  /** True if its rate allows no event now. */
  get isHeldBack(): boolean {
    return performance.now() < this.#allowedAt;
  }

  /** Returns the first entries, as many as the rate allows now. */
  allowed(entries: LogEntry[]): LogEntry[] {
    const bucket = this.#bucket;
    if (!bucket) return entries;
    const now = performance.now();
    const tooMany = entries.findIndex((entry) => {
      const waitMs = this.wants(entry) && this.cursors.for(entry) ? bucket.take(now) : 0;
      if (waitMs > 0) this.#allowedAt = now + waitMs;
      return waitMs > 0;
    });
    return tooMany < 0 ? entries : entries.slice(0, tooMany);
  }

  /** Records its progress. */
  readonly save = (): Promise<void> =>
    this.saveProgress(
      this.data,
      Array.from(this.cursors, ({ progress }) => progress),
    );

  async saveProgress(data: ConsumerData, progress: readonly LaneProgress[]): Promise<void> {
    if (progress.length === 0) return;
    await data.replays.save(
      this.id,
      progress.map((each) => this.#withSent(each)),
    );
  }

  #withSent(progress: LaneProgress): LaneReplay {
    return { ...progress, sent: this.#sent.get(progress.lane.number) ?? 0 };
  }
}
