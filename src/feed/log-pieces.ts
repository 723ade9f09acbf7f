import type { LogReader, Scan } from "../store/log";
import { eventText } from "./event-text";

/** Selects the events of a stream. */
export type EventFilter = Pick<Scan, "types" | "subject" | "visible">;

/** A part of the log in the form in which it is sent. */
export interface LogPiece {
  /** Events as text. Empty if the filter matches nothing in this part. */
  readonly bytes: Uint8Array;
  /** Position of the end of this part. */
  readonly position: number;
}

const maxEvents = 256;
/** Maximum length of the bodies in a piece, in characters. A socket takes a piece at once if its client reads at all. */
const maxLength = 16 * 1024;
/** Number of pieces to keep. Streams at the same place ask for a piece in turn, as do clients that reconnect after a restart. */
const kept = 8;

const encoder = new TextEncoder();

/** Reads and serializes each piece of the log once for all streams with the same filter. */
export class LogPieces {
  readonly #pieces = new Map<number, LogPiece>();

  constructor(
    readonly log: Pick<LogReader, "scan" | "pruned">,
    readonly filter: EventFilter,
  ) {}

  /** Returns the piece after a position if it was read recently. */
  known(position: number): LogPiece | undefined {
    return this.#pieces.get(position);
  }

  /** Reads the piece after a position. Resolves with undefined if part of it was pruned. */
  async read(position: number): Promise<LogPiece | undefined> {
    const { entries, position: end } = await this.log.scan(position, { ...this.filter, limit: maxEvents, maxLength });
    // Checked after the read: events pruned since then were read before.
    if ((await this.log.pruned()) > position) return undefined;
    const piece = { bytes: encoder.encode(entries.map(eventText).join("")), position: end };
    this.#pieces.set(position, piece);
    if (this.#pieces.size > kept) this.#pieces.delete(this.#pieces.keys().next().value as number);
    return piece;
  }
}
