import type { LogEntry } from "../../log";

/** Columns of a {@link LogEntry} in the table of events. */
export const entryColumns = "position, id, type, subject, timestamp, body, traceparent";

/** Rows read at a time, since each may be large. */
const batch = 32;

/** Events that are read in batches, up to a number of events or a total length of their bodies. */
export class BoundedEntries {
  readonly entries: LogEntry[] = [];
  #length = 0;

  /**
   * @param start position from which on to read.
   * @param bounds.limit maximum number of events.
   * @param bounds.maxLength the event with which the bodies reach this many characters in total is the last one.
   */
  constructor(
    readonly start: number,
    readonly bounds: { readonly limit: number; readonly maxLength: number },
  ) {}

  /** Position of the last event, from which on to read the next batch. */
  get reached(): number {
    return this.entries.at(-1)?.position ?? this.start;
  }

  /** Maximum number of events in the next batch. */
  get nextBatch(): number {
    return Math.min(batch, this.bounds.limit - this.entries.length);
  }

  get isFull(): boolean {
    return this.entries.length === this.bounds.limit || this.#length >= this.bounds.maxLength;
  }

  /** Adds a batch, or as much of it as the bounds allow. */
  add(rows: readonly LogEntry[]): void {
    for (const row of rows) {
      if (this.#length >= this.bounds.maxLength) return;
      this.entries.push(row);
      this.#length += row.body.length;
    }
  }
}
