import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { LogFollower } from "../log-follower";
import type { ReplayRow } from "../replay";
import { isBusy } from "./connection/lock-wait";
import { hasMoved } from "./connection/moved";
import { refuseMoved } from "./connection/moved-away";
import { timerReads } from "./lists/timer-reads";
import { causedEvents } from "./log/causes";
import { changesOf } from "./log/changes";
import { CommitNotifier } from "./log/commit-notifier";
import { eventFinder } from "./log/event-record";
import { logIdOf, sqliteLogReader } from "./log/log-reader";
import { retryQueuesIn, subscriptionsOf } from "./relay/queue-tables";
import { refusalsOf } from "./relay/refusal-table";
import { relayedIn } from "./relay/relay-position";
import { relayTroubleIn } from "./relay/relay-trouble";
import { schedulesOf } from "./relay/schedule-table";
import { refuseNewer, schemaVersionOf, storeMigrations } from "./schema/migrations";

/**
 * Opens the event log of an API that runs in another process. It opens the database read-only, so that it never locks it.
 * Returns undefined if the API has not created or migrated the database yet.
 *
 * @throws {Error} if a newer program wrote the database, or its data has moved. This and every read throw `SQLITE_BUSY` while another process locks
 *   the database exclusively ({@link whenUnlocked} waits for that).
 */
export function followLog(file: string): LogFollower | undefined {
  if (!existsSync(file)) return undefined;
  refuseMoved(file);
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
  let notifier: CommitNotifier | undefined;
  return {
    ...sqliteLogReader(db),
    queues: async () => subscriptionsOf(db).map(({ queue }) => queue),
    subscriptions: async () => subscriptionsOf(db),
    schedules: () => schedulesOf(db),
    find: eventFinder(db),
    causedBy: causedEvents(db),
    timers: timerReads(db),
    retryQueues: async (now) => retryQueuesIn(db, now),
    replay: async (id) => db.query<ReplayRow, [string]>("SELECT * FROM warren_replays WHERE id = ?").get(id) ?? undefined,
    refusals: async (since) => refusalsOf(db, since),
    relayed: async () => relayedIn(db),
    relayTrouble: async () => relayTroubleIn(db),
    processes: async () => null,
    logId,
    isReplaced() {
      try {
        return hasMoved(db) || logIdOf(db) !== logId;
      } catch (error) {
        // The file no longer holds this database, unless it is only locked.
        return !isBusy(error);
      }
    },
    notifier(tell) {
      notifier?.close();
      notifier = new CommitNotifier(file, changesOf(db), tell);
      return notifier;
    },
    close() {
      notifier?.close();
      db.close();
    },
  };
}
