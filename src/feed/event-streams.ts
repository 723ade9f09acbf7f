import type { LogReader } from "../store/log";
import { Signal } from "../timing/signal";
import { TimeShare } from "../timing/time-share";
import { greetingText, positionText } from "./event-text";
import { type EventFilter, type LogPiece, LogPieces } from "./log-pieces";

/** Destination of a stream. */
export interface Sink {
  /** Writes bytes. If it returns a promise, write again only after that resolves. */
  write(bytes: Uint8Array): Promise<unknown> | undefined;
  /** Ends the stream normally. */
  end(): void;
  /** Ends the stream at once and discards what was not taken. */
  cut(): void;
}

export interface StreamStart {
  /** Position after which the stream starts. */
  readonly position: number;
  readonly filter: EventFilter;
  /** The events that the stream reads. Default: the whole log, which streams with the same filter read together. */
  readonly log?: Pick<LogReader, "end" | "scan" | "pruned"> | undefined;
}

export interface StreamTiming {
  /** Maximum time between two writes to a stream, in milliseconds. */
  readonly heartbeatMs: number;
  /** Time after which a client that reads nothing is disconnected, in milliseconds. */
  readonly patienceMs: number;
  /** Delay before a client that lost the stream reconnects, in milliseconds. */
  readonly retryMs: number;
}

interface Stream {
  readonly sink: Sink;
  readonly pieces: LogPieces;
  position: number;
  blocked: boolean;
  wroteAt: number;
}

/** Maximum share of the time spent on streams, so that many of them do not slow down writers. */
const share = 0.05;
/** Time that a thousand streams need for one event, in milliseconds. */
const burstMs = 15;

const encoder = new TextEncoder();

/**
 * Streams of events from the log, each in commit order. A stream is only a position, since the log is its buffer. A stream
 * gets one piece of the log at a time, once its client has taken the piece before.
 */
export class EventStreams {
  readonly #streams = new Set<Stream>();
  /** Pieces of the log, by filter. */
  readonly #pieces = new Map<string, WeakRef<LogPieces>>();
  readonly #work = new Signal();
  readonly #time = new TimeShare(share, burstMs);
  readonly #log: Pick<LogReader, "end" | "scan" | "pruned">;
  #serving = false;
  #closed = false;

  constructor(
    log: LogReader,
    readonly timing: StreamTiming,
  ) {
    this.#log = this.#unhurried(log);
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Wakes the streams after the log has grown. */
  wake(): void {
    this.#work.raise();
  }

  /** Starts a stream. Returns a function that ends it, for a client that has left. */
  open(sink: Sink, { position, filter, log }: StreamStart): () => void {
    if (this.#closed) {
      sink.end();
      return () => {};
    }
    const pieces = log ? new LogPieces(this.#unhurried(log), filter) : this.#piecesOf(filter);
    const stream: Stream = { sink, pieces, position, blocked: false, wroteAt: 0 };
    this.#streams.add(stream);
    this.#write(stream, encoder.encode(greetingText(position, this.timing.retryMs)));
    if (!this.#serving) void this.#serve();
    this.#work.raise();
    return () => this.#streams.delete(stream);
  }

  /** Ends every stream, including those opened later. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) this.#end(stream);
    this.#work.raise();
  }

  /** Serves streams in rounds as long as there are any. */
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

  /** Gives each stream its next piece. Resolves with the number of streams that got one. */
  async #round(): Promise<number> {
    let served = 0;
    try {
      const end = await this.#log.end();
      for (const stream of this.#streams) {
        if (stream.blocked) {
          this.#dropSlow(stream);
          continue;
        }
        // The log was restored, or a replica without its last events promoted. A client that reconnects learns of it.
        if (stream.position > end && stream.position > (await this.#log.end())) this.#end(stream);
        else if (stream.position < end)
          this.#give(stream, stream.pieces.known(stream.position) ?? (await stream.pieces.read(stream.position)));
        else if (this.#isQuiet(stream)) this.#write(stream, encoder.encode(positionText(stream.position)));
        else continue;
        served += 1;
        if (this.#time.isUp) await this.#time.rest();
      }
    } catch {
      // Cannot read the log. Clients that reconnect get an error response, which the service logs.
      for (const stream of this.#streams) this.#end(stream);
    }
    return served;
  }

  #give(stream: Stream, piece: LogPiece | undefined): void {
    // Skipping pruned events silently would be worse: a client that reconnects learns of the gap.
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

  /** Returns the log. Time in which a database looks for an answer is not time that streams take from others. */
  #unhurried(log: Pick<LogReader, "end" | "scan" | "pruned">): Pick<LogReader, "end" | "scan" | "pruned"> {
    const wait = async <T>(answer: Promise<T>): Promise<T> => {
      this.#time.stop();
      return answer.finally(() => this.#time.start());
    };
    return { end: () => wait(log.end()), scan: (...asked) => wait(log.scan(...asked)), pruned: () => wait(log.pruned()) };
  }

  /** Returns the pieces for a filter. Streams with the same filter share them. */
  #piecesOf(filter: EventFilter): LogPieces {
    const key = JSON.stringify(filter);
    const known = this.#pieces.get(key)?.deref();
    if (known) return known;
    for (const [other, pieces] of this.#pieces) if (!pieces.deref()) this.#pieces.delete(other);
    const pieces = new LogPieces(this.#log, filter);
    this.#pieces.set(key, new WeakRef(pieces));
    return pieces;
  }
}
