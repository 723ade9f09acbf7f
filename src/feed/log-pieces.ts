import type { LogReader, Scan } from "../store/log";
import { eventText } from "./event-text";

/** Which events a stream is about. */
export type EventFilter = Pick<Scan, "types" | "subject">;

/** A part of the log as it is sent. */
export interface Piece {
  /** Empty: the filter wants nothing of this part. */
  readonly bytes: Uint8Array;
  /** Everything up to here is in it. */
  readonly position: number;
}

const maxEvents = 256;
/** A socket takes it at once, if its client takes anything. */
const maxLength = 16 * 1024;
/** Streams that go on together ask for a piece one after another; so do those that come again after a restart. */
const kept = 8;

const encoder = new TextEncoder();

/** Reads and serializes each piece of the log once for all the streams that have one filter. */
export class LogPieces {
  readonly #pieces = new Map<number, Piece>();

  constructor(
    readonly log: Pick<LogReader, "scan" | "pruned">,
    readonly filter: EventFilter,
  ) {}

  /** The piece after a position, if it was read just now. */
  known(position: number): Piece | undefined {
    return this.#pieces.get(position);
  }

  /** Undefined: some of it was pruned. */
  async read(position: number): Promise<Piece | undefined> {
    const { entries, position: end } = await this.log.scan(position, { ...this.filter, limit: maxEvents, maxLength });
    // Asked afterwards: what was pruned since then was read already.
    if ((await this.log.pruned()) > position) return undefined;
    const piece = { bytes: encoder.encode(entries.map(eventText).join("")), position: end };
    this.#pieces.set(position, piece);
    if (this.#pieces.size > kept) this.#pieces.delete(this.#pieces.keys().next().value as number);
    return piece;
  }
}
