import type { PostgresAddress } from "../../config/postgres-url";
import type { Resource } from "../../schema/resource";
import { atMost } from "../../timing/pause";
import type { Store } from "../store";
import { openDatabase } from "./connection/connection";
import type { Database } from "./connection/queries";
import { causedEvents, eventFinder } from "./log/event-finder";
import { postgresHistory } from "./log/history";
import { logReader } from "./log/log-reader";
import { openRecords, type RecordsOptions } from "./open-records";
import { sharedParts } from "./shared-parts";

interface PostgresStoreOptions extends Pick<RecordsOptions, "tracing" | "onBuilt"> {
  /** True for a process that only commits changes. It does nothing for the others. Default: false. */
  readonly isGuest?: boolean | undefined;
}

/**
 * Opens the store in a PostgreSQL schema. Creates the schema and the tables of the resources if necessary, and upgrades them and their
 * records. Other processes may have it open, also of an older version of the program.
 *
 * @throws {Error} if the server is too old, a newer program wrote the schema or the records, stored records break a declaration, or the
 *   role lacks a right.
 */
export async function openPostgresStore(
  address: PostgresAddress,
  resources: readonly Resource[],
  options: PostgresStoreOptions = {},
): Promise<Store> {
  const database = openDatabase(address);
  try {
    return await storeIn(database, address, resources, options);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Maximum time to commit the changes in progress, in milliseconds. */
const closingMs = 1500;

async function storeIn(
  database: Database,
  address: PostgresAddress,
  resources: readonly Resource[],
  options: PostgresStoreOptions,
): Promise<Store> {
  let committed = () => {};
  const onAppend = () => committed();
  const { close, ...records } = await openRecords(database, address, resources, { ...options, onAppend });
  const shared = sharedParts({ database, address, logId: records.logId, isGuest: options.isGuest });
  committed = shared.committed;
  return {
    ...records,
    ...shared.parts,
    log: logReader(database),
    find: eventFinder(database),
    causedBy: causedEvents(database),
    history: postgresHistory(database),
    async close() {
      // A database that does not answer keeps what is in hand, and fails it when the connections are closed.
      await atMost(closingMs, close());
      await shared.close();
      await database.close();
    },
  };
}
