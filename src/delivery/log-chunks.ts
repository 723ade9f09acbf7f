import type { LogReader, Scan } from "../store/store";
import { eventText } from "./event-text";

/** Which events a stream is about. */
export type EventFilter = Pick<Scan, "types" | "subject">;

/** A part of the log as it is sent. */
export interface Chunk {
  /** Empty: the filter wants nothing of this part. */
  readonly bytes: Uint8Array;
  /** Everything up to here is in it. */
  readonly position: number;
}

const maxEvents = 256;
const maxLength = 64 * 1024;
/** Streams at the end of the log ask for the same part one after another; so do those that come again after a restart. */
const kept = 8;

/** Reads and serializes each part of the log once for all the streams that stand at its beginning. */
export class LogChunks {
  readonly #chunks = new Map<string, Chunk>();
  readonly #encoder = new TextEncoder();

  constructor(readonly log: Pick<LogReader, "scan" | "pruned">) {}

  /** The next part after a position. Undefined: some of it was pruned. */
  async next(position: number, filter: EventFilter): Promise<Chunk | undefined> {
    const key = `${position} ${filter.subject} ${filter.types}`;
    const known = this.#chunks.get(key);
    if (known) return known;
    const { entries, position: end } = await this.log.scan(position, { ...filter, limit: maxEvents, maxLength });
    // Asked afterwards: what was pruned since then was read already.
    if ((await this.log.pruned()) > position) return undefined;
    const chunk = { bytes: this.#encoder.encode(entries.map(eventText).join("")), position: end };
    this.#chunks.set(key, chunk);
    if (this.#chunks.size > kept) this.#chunks.delete(this.#chunks.keys().next().value as string);
    return chunk;
  }
}
