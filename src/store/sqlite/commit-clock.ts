import type { Database } from "bun:sqlite";
import type { Resource } from "../../schema/resource";
import { uuidv7 } from "./event-record";
import { storedField } from "./list-keys";

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

  constructor(db: Database, resources: readonly Resource[]) {
    const { id, timestamp } = db
      .query<{ id: string; timestamp: string }, []>("SELECT id, timestamp FROM events ORDER BY position DESC LIMIT 1")
      .get() ?? { id: "", timestamp: "" };
    const times = [timestamp, ...resources.map((resource) => latestUpdate(db, resource))].map((text) => Date.parse(text));
    this.#ms = Math.max(0, ...times.filter(Number.isFinite));
    this.#text = new Date(this.#ms).toISOString();
    // An event written into the log by another program may have an id in any format.
    const isOurs = uuidv7.test(id);
    this.#id = isOurs ? id : "";
    this.#idMs = isOurs ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : 0;
  }

  /** Returns the time of the next change, in ISO 8601. */
  now(): string {
    const ms = Date.now();
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

/** Returns the newest `updatedAt` of a resource, or an empty string if it has no records. */
function latestUpdate(db: Database, { plural }: Resource): string {
  const value = storedField("updatedAt");
  const newest = `SELECT ${value} AS at FROM "${plural}" INDEXED BY "${plural}.updatedAt" ORDER BY ${value} DESC LIMIT 1`;
  return db.query<{ at: string }, []>(newest).get()?.at ?? "";
}
