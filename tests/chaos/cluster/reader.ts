import { pause } from "../../../src/timing/pause";
import type { Random } from "../random";

/** Time after which a stream that sends nothing counts as dead, in milliseconds. A stream sends something every five seconds. */
const silenceMs = 8000;

/** A client that follows the event stream, moves from process to process, and goes on after the last event that it got. */
export class TailingReader {
  /** Ids of the events, in the order in which they came. */
  readonly events: string[] = [];
  /** Number of streams that it has opened. */
  streams = 0;
  #position = "0";
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;

  /** @param urls the processes of the API. */
  constructor(
    readonly urls: readonly [string, ...string[]],
    readonly random: Random,
  ) {
    this.#reading = this.#read();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const url = this.random.of(this.urls);
      const leaveAfter = this.random.between(1, 400);
      await this.#follow(url, leaveAfter).catch(() => pause(50, signal));
    }
  }

  /** Reads one stream until it ends, is silent, or has sent `most` events. */
  async #follow(url: string, most: number): Promise<void> {
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    this.#stopping.signal.addEventListener("abort", leave);
    let timer = setTimeout(leave, silenceMs);
    try {
      this.streams += 1;
      const response = await fetch(`${url}/events/stream`, {
        headers: { "last-event-id": this.#position },
        keepalive: false,
        signal: leaving.signal,
      });
      if (!response.ok || !response.body) throw new Error(`The stream is answered with ${response.status}.`);
      let rest = "";
      let left = most;
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(timer);
        timer = setTimeout(leave, silenceMs);
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) left -= this.#take(block);
        if (left <= 0) return leave();
      }
    } finally {
      clearTimeout(timer);
      this.#stopping.signal.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Takes one block of the stream. Returns the number of events in it. */
  #take(block: string): number {
    const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    const data = fields.get("data");
    if (data !== undefined) this.events.push((JSON.parse(data) as { id: string }).id);
    this.#position = fields.get("id") ?? this.#position;
    return data === undefined ? 0 : 1;
  }
}
