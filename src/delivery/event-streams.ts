import type { LogReader } from "../store/store";
import { greetingText, positionText } from "./event-text";
import { type EventFilter, LogChunks } from "./log-chunks";
import { Signal } from "./signal";
import { TimeShare } from "./time-share";

/** Where a stream goes to. */
export interface Sink {
  /** Takes bytes. A promise: it takes more only when that fulfils. */
  write(bytes: Uint8Array): Promise<unknown> | undefined;
  end(): void;
}

export interface StreamStart {
  /** It begins with the first event after this position. */
  readonly position: number;
  readonly filter: EventFilter;
}

export interface EventStreamsOptions {
  readonly log: LogReader;
  /** How long a stream is quiet at most. */
  readonly heartbeatMs: number;
  /** After how long a client that has lost the stream is to come again. */
  readonly retryMs: number;
}

interface Stream {
  readonly sink: Sink;
  readonly filter: EventFilter;
  position: number;
  blocked: boolean;
  wroteAt: number;
}

/** Serving streams takes this part of the time at most, so that a thousand of them do not slow down those who write. */
const share = 0.05;
/** What a thousand streams take for one event. */
const burstMs = 15;

/**
 * Streams of events from the log, each in commit order. A stream is no more than a position: the log is the buffer, of
 * which each gets a piece at a time, when its client has taken the one before.
 */
export class EventStreams {
  readonly #streams = new Set<Stream>();
  readonly #chunks: LogChunks;
  readonly #work = new Signal();
  readonly #time = new TimeShare(share, burstMs);
  readonly #encoder = new TextEncoder();
  #serving = false;
  #closed = false;

  constructor(readonly options: EventStreamsOptions) {
    this.#chunks = new LogChunks(options.log);
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Tells that the log has grown. */
  wake(): void {
    this.#work.raise();
  }

  /** Begins a stream; answers how to end it, for a client that has left. */
  open(sink: Sink, { position, filter }: StreamStart): () => void {
    const stream: Stream = { sink, filter, position, blocked: false, wroteAt: 0 };
    if (this.#closed) {
      sink.end();
      return () => {};
    }
    this.#streams.add(stream);
    this.#write(stream, this.#encoder.encode(greetingText(position, this.options.retryMs)));
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
      if ((await this.#round()) === 0) await this.#work.wait(this.options.heartbeatMs / 10);
    }
    this.#serving = false;
  }

  /** Gives each stream its next piece; answers how many had one. */
  async #round(): Promise<number> {
    let served = 0;
    try {
      const end = await this.options.log.end();
      for (const stream of this.#streams) {
        if (stream.blocked || !(stream.position < end || this.#isQuiet(stream))) continue;
        served += 1;
        await this.#time.spend(() => this.#serveOne(stream, end));
      }
    } catch {
      // The log cannot be read. The clients come again, and those who ask then are told, as is the service's log.
      for (const stream of this.#streams) this.#end(stream);
    }
    return served;
  }

  async #serveOne(stream: Stream, end: number): Promise<void> {
    if (stream.position < end) {
      const chunk = await this.#chunks.next(stream.position, stream.filter);
      // Left out without a word would be worse than ended: the client comes again, and is told.
      if (!chunk) return this.#end(stream);
      if (!this.#streams.has(stream)) return;
      stream.position = chunk.position;
      if (chunk.bytes.length > 0) return this.#write(stream, chunk.bytes);
    }
    if (this.#isQuiet(stream)) this.#write(stream, this.#encoder.encode(positionText(stream.position)));
  }

  #isQuiet({ wroteAt }: Stream): boolean {
    return performance.now() - wroteAt >= this.options.heartbeatMs;
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
}
