import { now } from "../../timing/clock";
/** Format of event ids: a UUIDv7 (RFC 9562) in lower case. */
export const uuidv7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A time as this clock makes it. */
const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * Makes the times and event ids of changes. Both follow commit order and never go back, even if the system clock does or the
 * process restarts. While the system clock is behind the newest time in the store, changes get that time.
 */
export class CommitClock {
  #ms: number;
  #text: string;
  /** The time in the newest id. It may be ahead of the clock, because the number of ordered ids per millisecond is limited. */
  #idMs: number;
  #id: string;

  /**
   * @param id the newest event id in the store. Empty if there is none.
   * @param newest the newest times in the store (ISO 8601). Other texts are ignored.
   */
  constructor(id: string, newest: readonly string[]) {
    const times = newest.map((text) => Date.parse(text));
    this.#ms = Math.max(0, ...times.filter(Number.isFinite));
    this.#text = new Date(this.#ms).toISOString();
    // An event written into the log by another program may have an id in any format.
    const isOurs = uuidv7.test(id);
    this.#id = isOurs ? id : "";
    this.#idMs = isOurs ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : 0;
  }

  /** Takes note of a time that another process has given a change, so that no later change gets an earlier one. Ignores other texts. */
  observe(time: string): void {
    if (time <= this.#text || !isTime.test(time)) return;
    this.#ms = Date.parse(time);
    this.#text = time;
  }

  /** Returns the time of the next change, in ISO 8601. */
  now(): string {
    const ms = now();
    if (ms > this.#ms) {
      this.#ms = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }

  /** Returns the id of the next event, a UUIDv7. */
  eventId(): string {
    this.#idMs = Math.max(this.#idMs, this.#ms);
    let id = Bun.randomUUIDv7("hex", this.#idMs);
    while (id <= this.#id) {
      this.#idMs += 1;
      id = Bun.randomUUIDv7("hex", this.#idMs);
    }
    this.#id = id;
    return id;
  }
}
