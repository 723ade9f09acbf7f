import type { Sink } from "../feed/event-streams";
import type { LiveStatus } from "./live-status";
import type { Status } from "./status";

interface Stream {
  readonly sink: Sink;
  /** The JSON of each part of the status as it was sent last. */
  readonly sent: Map<string, string>;
  /** Number of bytes that may be sent. Below 0 after a large change. */
  budget: number;
  blockedSince: number | undefined;
  /** True if its client knows that the state cannot be read. */
  hasFailed: boolean;
}

/** Mean number of bytes that a stream sends in a second at most. */
const bytesPerSecond = 2000;
/** Time after which a client that reads nothing is disconnected, in milliseconds. */
const patienceMs = 30_000;

const encoder = new TextEncoder();

/**
 * Streams of the status as server-sent events: first all of it, then each second the parts that have changed. A change that is large
 * makes the next one wait.
 */
export class StatusStreams {
  readonly #streams = new Set<Stream>();
  #unfollow: (() => void) | undefined;
  #closed = false;

  constructor(readonly live: Pick<LiveStatus, "follow">) {}

  get size(): number {
    return this.#streams.size;
  }

  /** Starts a stream. Returns a function that ends it, for a client that has left. */
  open(sink: Sink): () => void {
    if (this.#closed) {
      sink.end();
      return () => {};
    }
    const stream: Stream = { sink, sent: new Map(), budget: bytesPerSecond, blockedSince: undefined, hasFailed: false };
    this.#streams.add(stream);
    this.#write(stream, "retry: 2000\n\n");
    this.#unfollow ??= this.live.follow({
      onStatus: (status) => this.#tell(partsOf(status)),
      onFailure: () => this.#tellFailure(),
    });
    return () => this.#leave(stream);
  }

  /** Ends every stream, including those opened later. */
  close(): void {
    this.#closed = true;
    for (const { sink } of this.#streams) sink.end();
    this.#streams.clear();
    this.#unfollow?.();
  }

  #leave(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  #tell(parts: ReadonlyMap<string, string>): void {
    for (const stream of this.#streams) {
      stream.budget = Math.min(bytesPerSecond, stream.budget + bytesPerSecond);
      if (!this.#isReady(stream)) continue;
      const changed = [...parts].filter(([name, json]) => stream.sent.get(name) !== json);
      const event = stream.sent.size === 0 ? "status" : "change";
      stream.hasFailed = false;
      for (const [name, json] of changed) stream.sent.set(name, json);
      this.#write(stream, `event: ${event}\ndata: {${changed.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join()}}\n\n`);
    }
  }

  #tellFailure(): void {
    for (const stream of this.#streams) {
      if (stream.hasFailed || !this.#isReady(stream)) continue;
      stream.hasFailed = true;
      this.#write(stream, `event: failure\ndata: ${JSON.stringify({ detail: "The state cannot be read now." })}\n\n`);
    }
  }

  /** Returns whether a stream may send now. Cuts off one whose client reads nothing. */
  #isReady(stream: Stream): boolean {
    if (stream.blockedSince === undefined) return stream.budget > 0;
    if (performance.now() - stream.blockedSince >= patienceMs) {
      this.#leave(stream);
      stream.sink.cut();
    }
    return false;
  }

  #write(stream: Stream, text: string): void {
    const bytes = encoder.encode(text);
    stream.budget -= bytes.length;
    const taken = stream.sink.write(bytes);
    if (!taken) return;
    stream.blockedSince = performance.now();
    taken.then(
      () => {
        stream.blockedSince = undefined;
      },
      () => this.#leave(stream),
    );
  }
}

function partsOf(status: Status): Map<string, string> {
  return new Map(Object.entries(status).map(([name, value]) => [name, JSON.stringify(value)]));
}
