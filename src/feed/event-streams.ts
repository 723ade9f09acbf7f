import type { LogReader } from "../store/log";
import { Signal } from "../timing/signal";
import { TimeShare } from "../timing/time-share";
import { greetingText, positionText } from "./event-text";
import { type EventFilter, LogPieces, type Piece } from "./log-pieces";

/** Where a stream goes to. */
export interface Sink {
  /** Takes bytes. A promise: it takes more only when that fulfils. */
  write(bytes: Uint8Array): Promise<unknown> | undefined;
  /** Ends it well. */
  end(): void;
  /** Ends it at once, with what was not taken yet. */
  cut(): void;
}

export interface StreamStart {
  /** It begins with the first event after this position. */
  readonly position: number;
  readonly filter: EventFilter;
}

export interface StreamTiming {
  /** How long a stream is quiet at most. */
  readonly heartbeatMs: number;
  /** A client that takes nothing for so long is dropped. */
  readonly patienceMs: number;
  /** After how long a client that has lost the stream is to come again. */
  readonly retryMs: number;
}

interface Stream {
  readonly sink: Sink;
  readonly pieces: LogPieces;
  position: number;
  blocked: boolean;
  wroteAt: number;
}

/** Serving streams takes this part of the time at most, so that a thousand of them do not slow down those who write. */
const share = 0.05;
/** What a thousand streams take for one event. */
const burstMs = 15;

const encoder = new TextEncoder();

/**
 * Streams of events from the log, each in commit order. A stream is no more than a position: the log is the buffer, of
 * which each gets a piece at a time, when its client has taken the one before.
 */
export class EventStreams {
  readonly #streams = new Set<Stream>();
  /** By filter. */
  readonly #pieces = new Map<string, WeakRef<LogPieces>>();
  readonly #work = new Signal();
  readonly #time = new TimeShare(share, burstMs);
  #serving = false;
  #closed = false;

  constructor(
    readonly log: LogReader,
    readonly timing: StreamTiming,
  ) {}

  get size(): number {
    return this.#streams.size;
  }

  /** Tells that the log has grown. */
  wake(): void {
    this.#work.raise();
  }

  /** Begins a stream; answers how to end it, for a client that has left. */
  open(sink: Sink, { position, filter }: StreamStart): () => void {
    if (this.#closed) {
      sink.end();
      return () => {};
    }
    const stream: Stream = { sink, pieces: this.#piecesOf(filter), position, blocked: false, wroteAt: 0 };
    this.#streams.add(stream);
    this.#write(stream, encoder.encode(greetingText(position, this.timing.retryMs)));
    if (!this.#serving) void this.#serve();
    this.#work.raise();
    return () => this.#streams.delete(stream);
  }

  /** Ends every stream, and each that would begin from now on. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) this.#end(stream);
    this.#work.raise();
  }

  /** Goes round as long as there are streams. */
  async #serve(): Promise<void> {
    this.#serving = true;
    while (this.#streams.size > 0) {
      this.#time.start();
      const served = await this.#round();
      const pauseMs = this.#time.stop();
      if (pauseMs > 0) await Bun.sleep(pauseMs);
      else if (served > 0) await new Promise(setImmediate);
      else await this.#work.wait(this.timing.heartbeatMs / 10);
    }
    this.#serving = false;
  }

  /** Gives each stream its next piece; answers how many had one. */
  async #round(): Promise<number> {
    let served = 0;
    try {
      const end = await this.log.end();
      for (const stream of this.#streams) {
        if (stream.blocked) {
          this.#dropSlow(stream);
          continue;
        }
        if (stream.position < end) this.#give(stream, stream.pieces.known(stream.position) ?? (await stream.pieces.read(stream.position)));
        else if (this.#isQuiet(stream)) this.#write(stream, encoder.encode(positionText(stream.position)));
        else continue;
        served += 1;
        if (this.#time.isUp) await this.#time.rest();
      }
    } catch {
      // The log cannot be read. The clients come again, and those who ask then are told, as is the service's log.
      for (const stream of this.#streams) this.#end(stream);
    }
    return served;
  }

  #give(stream: Stream, piece: Piece | undefined): void {
    // Left out without a word would be worse than ended: the client comes again, and is told.
    if (!piece) this.#end(stream);
    if (!piece || !this.#streams.has(stream)) return;
    stream.position = piece.position;
    if (piece.bytes.length > 0) this.#write(stream, piece.bytes);
    else if (this.#isQuiet(stream)) this.#write(stream, encoder.encode(positionText(stream.position)));
  }

  #dropSlow(stream: Stream): void {
    if (performance.now() - stream.wroteAt >= this.timing.patienceMs && this.#streams.delete(stream)) stream.sink.cut();
  }

  #isQuiet({ wroteAt }: Stream): boolean {
    return performance.now() - wroteAt >= this.timing.heartbeatMs;
  }

  #write(stream: Stream, bytes: Uint8Array): void {
    stream.wroteAt = performance.now();
    const taken = stream.sink.write(bytes);
    if (!taken) return;
    stream.blocked = true;
    taken.then(
      () => {
        stream.blocked = false;
        this.#work.raise();
      },
      () => this.#streams.delete(stream),
    );
  }

  #end(stream: Stream): void {
    if (this.#streams.delete(stream)) stream.sink.end();
  }

  /** Streams with the same filter share what is read for them. */
  #piecesOf(filter: EventFilter): LogPieces {
    const key = JSON.stringify(filter);
    const known = this.#pieces.get(key)?.deref();
    if (known) return known;
    for (const [other, pieces] of this.#pieces) if (!pieces.deref()) this.#pieces.delete(other);
    const pieces = new LogPieces(this.log, filter);
    this.#pieces.set(key, new WeakRef(pieces));
    return pieces;
  }
}
