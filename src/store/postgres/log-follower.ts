import type { PostgresAddress } from "../../config/postgres-url";
import type { LogFollower } from "../log-follower";
import { openDatabase } from "./connection/connection";
import { servingProcesses } from "./leases/processes";
import { timerReads } from "./lists/timer-reads";
import { causedEvents, eventFinder } from "./log/event-finder";
import { logReader } from "./log/log-reader";
import { logStateIn } from "./log/log-state";
import { FollowingNotifier } from "./log/log-watch";
import { refusalsOf, retryQueuesIn, subscriptionsOf } from "./relay/queue-tables";
import { relayedIn } from "./relay/relay-position";
import { relayTroubleIn } from "./relay/relay-trouble";
import { replayIn } from "./relay/replay-rows";
import { schedulesOf } from "./relay/schedules";
import { refuseNewer, schemaVersionOf, storeMigrations } from "./schema/migrations";

/** Number of connections that read. A follower reads one part of the log after the other. */
const readers = 2;

/**
 * Opens the event log of an API that runs in another process. Resolves with undefined if no API has created or migrated the schema yet.
 *
 * @throws {Error} if a newer program wrote the schema, or the database cannot be reached.
 */
export async function followLog(address: PostgresAddress): Promise<LogFollower | undefined> {
  const database = openDatabase(address, { readers });
  try {
    const version = await schemaVersionOf(database);
    refuseNewer(version, address, storeMigrations);
    const state = version < storeMigrations.length ? undefined : await logStateIn(database);
    if (state) return followerOf(database, address, state.logId);
  } catch (error) {
    await database.close();
    throw error;
  }
  await database.close();
  return undefined;
}

function followerOf(database: ReturnType<typeof openDatabase>, { schema }: PostgresAddress, logId: string): LogFollower {
  let notifier: FollowingNotifier | undefined;
  return {
    ...logReader(database),
    queues: async () => (await subscriptionsOf(database)).map(({ queue }) => queue),
    subscriptions: () => subscriptionsOf(database),
    schedules: () => schedulesOf(database),
    find: eventFinder(database),
    causedBy: causedEvents(database),
    timers: timerReads(database),
    retryQueues: (now) => retryQueuesIn(database, now),
    replay: (id) => replayIn(database, id),
    refusals: (since) => refusalsOf(database, since),
    relayed: () => relayedIn(database),
    relayTrouble: () => relayTroubleIn(database),
    processes: () => servingProcesses(database),
    logId,
    // Only a follower that is told of commits looks after its log.
    isReplaced: () => notifier?.isReplaced ?? false,
    notifier(tell) {
      notifier?.close();
      notifier = new FollowingNotifier({ database, schema, logId }, tell);
      return notifier;
    },
    close() {
      notifier?.close();
      void database.close();
    },
  };
}
