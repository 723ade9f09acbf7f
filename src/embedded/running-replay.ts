import { parseSelection, type ReplaySelection, selects } from "../delivery/replay-selection";
import type { ConsumerFile } from "../store/consumer/file";
import type { LogEntry } from "../store/log";
import type { ReplayRow } from "../store/replay";
import { TokenBucket } from "../timing/token-bucket";
import { LogCursor } from "./log-cursor";

/** A replay that a consumer without a broker makes for itself: a second cursor on the event log. */
export class RunningReplay {
  readonly id: string;
  readonly selection: ReplaySelection;
  readonly cursor: LogCursor;
  sent: number;
  readonly #last: number;
  readonly #bucket: TokenBucket | undefined;
  /** When its rate allows the next event, by `performance.now()`; reading the log before that would be in vain. */
  #allowedAt = 0;

  /** @param wanted the event types that the consumer handles. */
  constructor(
    row: ReplayRow,
    readonly file: ConsumerFile,
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
    return this.wanted.has(entry.type) && selects(this.selection, entry);
  }

  /** Those entries that it has still to go through. */
  ofItsOwn(entries: readonly LogEntry[]): LogEntry[] {
    return entries.filter((entry) => entry.position <= this.#last);
  }

  /** Whether its rate holds it back now. */
  get isHeldBack(): boolean {
    return performance.now() < this.#allowedAt;
  }

  /** As many entries, from the first on, as the rate allows now. */
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

  /** Notes that nothing of it is in hand. */
  rest(): void {
    this.cursor.rest();
    this.save();
  }

  /** Notes how far it has come. */
  readonly save = (): void => this.#save(null);

  finish(at: string): void {
    this.#save(at);
  }

  #save(finishedAt: string | null): void {
    const { position, begun } = this.cursor;
    this.file.replays.save(this.id, { position, begun, sent: this.sent, finishedAt, error: null });
  }
}
