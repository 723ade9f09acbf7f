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
import { relayedIn } from "./relay-position";
import { relayTroubleIn } from "./relay-trouble";

/** Reads the API's event log from another process. */
export interface LogFollower extends LogReader {
  /** Returns the queues announced by consumers. */
  queues(): string[];
  /** Returns the queues announced by consumers, with the event types bound to them. */
  subscriptions(): QueueSubscription[];
  /** Returns the retry queues announced by consumers that have not expired at `now`, in milliseconds since 1970. */
  retryQueues(now: number): RetryQueue[];
  /** Returns a replay or fill that the API makes on RabbitMQ, or undefined if there is none with this id. */
  replay(id: string): ReplayRow | undefined;
  /** Returns the announcements refused after a time, in milliseconds since 1970, newest first. */
  refusals(since: number): Refusal[];
  /** Returns the last stored position up to which RabbitMQ has confirmed all events. It may lag slightly while events are sent. */
  relayed(): number;
  /** Returns what hinders the relay, as {@link Store} keeps it, or null. */
  relayTrouble(): RelayTrouble | null;
  /** Resolves with the event that has this id, or with undefined if there is none. */
  readonly find: Store["find"];
  /** Identifies this log, so that a position in another log is not mistaken for one in this log. */
  readonly logId: Store["logId"];
  /** Returns whether anything was committed since the previous call. It takes microseconds. */
  changed(): boolean;
  /** Returns whether the database file was removed or replaced. */
  isReplaced(): boolean;
  /** Calls `tell` when the operating system reports a commit, until the follower is closed. Replaces any earlier watch. */
  watch(tell: () => void): LogWatch;
  close(): void;
}

/**
 * Opens the event log of an API that runs in another process. It opens the database read-only, so that it never locks it.
 * Returns undefined if the API has not created or migrated the database yet.
 *
 * @throws {Error} if a newer program wrote the database. This and every read throw `SQLITE_BUSY` while another process locks
 *   the database exclusively ({@link whenUnlocked} waits for that).
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
    relayed: () => relayedIn(db),
    relayTrouble: () => relayTroubleIn(db),
    logId,
    changed: changesOf(db),
    isReplaced() {
      try {
        return hasMoved(db) || logIdOf(db) !== logId;
      } catch (error) {
        // The file no longer holds this database, unless it is only locked.
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
