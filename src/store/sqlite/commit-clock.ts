import type { Database } from "bun:sqlite";
import type { Log } from "../../observe/logging";
import type { Resource } from "../../schema/resource";
import type { LogReader } from "../log";
import { uuidv7 } from "./event-record";
import { indexName, storedField } from "./indexes";

/**
 * The times and the event ids of changes, which are in the order of the commits: neither ever goes back, whatever the clock of
 * the machine does, also over a restart. While that is behind the newest time in the store, changes get that one.
 */
export class CommitClock {
  #ms: number;
  #text: string;
  /** The time in the newest id; it may be ahead, as a millisecond has a limited number of ids in order. */
  #idMs: number;
  #id: string;

  constructor(db: Database, resources: readonly Resource[]) {
    const { id, timestamp } = db
      .query<{ id: string; timestamp: string }, []>("SELECT id, timestamp FROM events ORDER BY position DESC LIMIT 1")
      .get() ?? { id: "", timestamp: "" };
    const times = [timestamp, ...resources.map((resource) => latestUpdate(db, resource))].map((text) => Date.parse(text));
    this.#ms = Math.max(0, ...times.filter(Number.isFinite));
    this.#text = new Date(this.#ms).toISOString();
    // An event that another program wrote into the log may have any id.
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

/** Returns an empty text if there are no records. */
function latestUpdate(db: Database, { plural }: Resource): string {
  const value = storedField("updatedAt");
  const newest = `SELECT ${value} AS at FROM "${plural}" INDEXED BY ${indexName(plural, "updatedAt")} ORDER BY ${value} DESC LIMIT 1`;
  return db.query<{ at: string }, []>(newest).get()?.at ?? "";
}

/**
 * Logs a warning if the clock of the machine is behind the newest event: until it has caught up, all changes have the time of
 * that one.
 */
export async function warnOfClock(events: LogReader, log: Log): Promise<void> {
  const [newest] = await events.read((await events.end()) - 1, 1);
  const behindSeconds = newest ? Math.round((Date.parse(newest.timestamp) - Date.now()) / 1000) : 0;
  if (behindSeconds <= 1) return;
  log.warn(
    { behindSeconds, newest: newest?.timestamp },
    "The clock of this machine is behind the newest event; until it has caught up, changes have the time of that event",
  );
}
