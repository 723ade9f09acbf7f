import { matchesSelection, parseSelection, type ReplaySelection } from "../delivery/replay-selection";
import type { ConsumerData } from "../store/consumer/store";
import type { LogEntry } from "../store/log";
import type { ReplayRow } from "../store/replay";
import { TokenBucket } from "../timing/token-bucket";
import { LogCursor } from "./log-cursor";

/** A replay that a consumer without a broker runs itself: a second cursor on the event log. */
export class RunningReplay {
  readonly id: string;
  readonly selection: ReplaySelection;
  readonly cursor: LogCursor;
  sent: number;
  readonly #last: number;
  readonly #bucket: TokenBucket | undefined;
  /** Time when its rate allows the next event, by `performance.now()`. Reading the log earlier is useless. */
  #allowedAt = 0;

  /** @param wanted event types that the consumer handles. */
  constructor(
    row: ReplayRow,
    readonly data: ConsumerData,
    readonly wanted: ReadonlySet<string>,
  ) {
    this.id = row.id;
    this.selection = parseSelection(row.selection);
    this.cursor = new LogCursor(row);
    this.sent = row.sent;
    this.#last = row.last;
    if (this.selection.rate !== null) this.#bucket = new TokenBucket(this.selection.rate, performance.now());
  }

  wants(entry: LogEntry): boolean {
    return this.wanted.has(entry.type) && matchesSelection(this.selection, entry);
  }

  /** Returns the entries that belong to its part of the log. */
  ofItsOwn(entries: readonly LogEntry[]): LogEntry[] {
    return entries.filter((entry) => entry.position <= this.#last);
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
      const waitMs = this.wants(entry) ? bucket.take(now) : 0;
      if (waitMs > 0) this.#allowedAt = now + waitMs;
      return waitMs > 0;
    });
    return tooMany < 0 ? entries : entries.slice(0, tooMany);
  }

  /** Records in a transaction that none of its events is in progress. */
  async rest(own: ConsumerData): Promise<void> {
    this.cursor.rest();
    await this.#save(own, null);
  }

  /** Records its progress. */
  readonly save = (): Promise<void> => this.#save(this.data, null);

  finish(at: string): Promise<void> {
    return this.#save(this.data, at);
  }

  #save(data: ConsumerData, finishedAt: string | null): Promise<void> {
    const { position, begun } = this.cursor;
    return data.replays.save(this.id, { position, begun, sent: this.sent, refused: 0, finishedAt, error: null });
  }
}
