import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { LogReader } from "../log";
import type { QueueSubscription, Refusal, RetryQueue } from "../queue-store";
import type { RelayTrouble } from "../relay-trouble";
import type { ReplayRow } from "../replay";
import type { Store } from "../store";
import { changesOf } from "./changes";
import { eventFinder } from "./event-record";
import { isBusy } from "./lock-wait";
import { logIdOf, sqliteLogReader } from "./log-reader";
import { LogWatch } from "./log-watch";
import { refuseNewer, schemaVersionOf, storeMigrations } from "./migrations";
import { hasMoved } from "./moved";
import { retryQueuesIn, subscriptionsOf } from "./queue-tables";
import { refusalsOf } from "./refusal-table";
import { relayTroubleIn } from "./relay-trouble";

/** The event log as another process sees it. */
export interface LogFollower extends LogReader {
  /** The queues that consumers have said are theirs. */
  queues(): string[];
  /** The same, with the event types that belong on them. */
  subscriptions(): QueueSubscription[];
  /** The queues for retries that consumers have said they use, and that are not gone at `now`. */
  retryQueues(now: number): RetryQueue[];
  /** A replay or a fill that the API makes on RabbitMQ. Returns undefined if there is none with this id. */
  replay(id: string): ReplayRow | undefined;
  /** The announcements that were refused after a time, in milliseconds since 1970; the newest first. */
  refusals(since: number): Refusal[];
  /** The position up to which RabbitMQ has confirmed every event, as it was last stored: some 20 ms ago while events are sent. */
  relayed(): number;
  /** As in {@link Store}. */
  relayTrouble(): RelayTrouble | null;
  /** As in {@link Store}. */
  readonly find: Store["find"];
  readonly logId: Store["logId"];
  /** Whether anything was committed since the last call. Costs microseconds. */
  changed(): boolean;
  /** Whether the file was removed, or another one is in its place. */
  isReplaced(): boolean;
  /** Has the operating system tell of commits, until the follower is closed. */
  watch(tell: () => void): LogWatch;
  close(): void;
}

/**
 * Opens the log of an API in another process, read only, so that the API's database is never locked.
 * Undefined: the API has not made it yet.
 *
 * @throws {Error} when the database was written by a newer program; with `SQLITE_BUSY`, as every look does, while another
 * process has it for itself ({@link whenUnlocked} waits for that).
 */
export function followLog(file: string): LogFollower | undefined {
  if (!existsSync(file)) return undefined;
  const db = new Database(file, { readonly: true, strict: true });
  try {
    const version = schemaVersionOf(db);
    if (version < storeMigrations.length) {
      db.close();
      return undefined;
    }
    refuseNewer(version, file, storeMigrations);
  } catch (error) {
    db.close();
    throw error;
  }
  const relayed = db.prepare<{ position: number }, []>("SELECT position FROM relay");
  const logId = logIdOf(db);
  let watch: LogWatch | undefined;
  return {
    ...sqliteLogReader(db),
    queues: () => subscriptionsOf(db).map(({ queue }) => queue),
    subscriptions: () => subscriptionsOf(db),
    find: eventFinder(db),
    retryQueues: (now) => retryQueuesIn(db, now),
    replay: (id) => db.query<ReplayRow, [string]>("SELECT * FROM warren_replays WHERE id = ?").get(id) ?? undefined,
    refusals: (since) => refusalsOf(db, since),
    relayed: () => relayed.get()?.position ?? 0,
    relayTrouble: () => relayTroubleIn(db),
    logId,
    changed: changesOf(db),
    isReplaced() {
      try {
        return hasMoved(db) || logIdOf(db) !== logId;
      } catch (error) {
        // Another content in the same file.
        return !isBusy(error);
      }
    },
    watch(tell) {
      watch?.close();
      watch = new LogWatch(file, tell);
      return watch;
    },
    close() {
      watch?.close();
      db.close();
    },
  };
}
