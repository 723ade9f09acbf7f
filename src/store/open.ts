// Opens the store with the engine that the address of the database names. No other file outside of an engine knows one.
import type { Config } from "../config/config";
import type { Resource } from "../schema/resource";
import { consumersFolder } from "./consumer/folder";
import type { ConsumerStore } from "./consumer/store";
import type { ConsumerStores } from "./consumer/stores";
import type { StoreInspection } from "./inspection";
import type { LogFollower } from "./log-follower";
import type { ConsumerMoveSource } from "./moving/consumer-move";
import type { MoveSource } from "./moving/move-source";
import type { MoveTarget } from "./moving/move-target";
import { isRemoved, isSerializationFailure } from "./postgres/connection/errors";
import { placeOf } from "./postgres/connection/place";
import { PostgresConsumerStores } from "./postgres/consumer/stores";
import { inspectSchema } from "./postgres/inspect";
import { isSchemaServed } from "./postgres/is-served";
import { followLog as followPostgres } from "./postgres/log-follower";
import { openMoveTarget } from "./postgres/moving/target";
import { readRecords as readPostgresRecords } from "./postgres/records/records-reader";
import { freeSpace } from "./postgres/scrub";
import { openPostgresStore } from "./postgres/store";
import type { RecordsReader } from "./records";
import { isLocked, lockFileOf } from "./sqlite/connection/lock";
import { isBusy, whenUnlocked } from "./sqlite/connection/lock-wait";
import { hasMovedAway } from "./sqlite/connection/moved-away";
import { filesOpenToOthers } from "./sqlite/connection/private-file";
import { unavailable } from "./sqlite/connection/unavailable";
import { openConsumerFile } from "./sqlite/consumer/file";
import { ConsumerFiles } from "./sqlite/consumer/files";
import { openConsumerMoveSource } from "./sqlite/consumer/move-source";
import { inspectConsumerFile, inspectDatabase } from "./sqlite/inspect";
import { followLog } from "./sqlite/log-follower";
import { openMoveSource } from "./sqlite/moving/move-source";
import { readRecords } from "./sqlite/records-reader";
import { scrub } from "./sqlite/scrub";
import { sizeOfFiles } from "./sqlite/size";
import { openSqliteStore, type StoreOptions } from "./sqlite/store";
import type { Store } from "./store";

// The meaning of an error of the engine.
export { isBusy, isRemoved, isSerializationFailure as isConflict, unavailable, whenUnlocked };

type Address = Pick<Config, "database">;
type Places = Pick<Config, "database" | "dataDir">;

interface OpenOptions extends StoreOptions {
  /** True for a process that only commits changes, beside those that serve a PostgreSQL database. Default: false. */
  readonly isGuest?: boolean;
}

/**
 * Opens the store for the process that serves it. Creates the database if necessary, and upgrades its schema and records.
 *
 * @throws {Error} if another process serves this database, a newer program wrote it, or it cannot be opened.
 */
export function openStore({ database }: Address, resources: readonly Resource[], options?: OpenOptions): Promise<Store> {
  if (database.engine === "postgres") return openPostgresStore(database, resources, options);
  return whenUnlocked(() => openSqliteStore(database.file, resources, options));
}

/**
 * Opens the event log of an API that runs in another process, to read it. Resolves with undefined if the API has not created or
 * migrated the database yet.
 *
 * @throws {Error} if a newer program wrote the database, or it cannot be opened.
 */
export function openLog({ database }: Address): Promise<LogFollower | undefined> {
  if (database.engine === "postgres") return followPostgres(database);
  return whenUnlocked(() => followLog(database.file));
}

/** Opens the records of an API that runs in another process, to read them. Resolves with undefined if there is no database. */
export function openRecords({ database }: Address): Promise<RecordsReader | undefined> {
  if (database.engine === "postgres") return readPostgresRecords(database);
  return whenUnlocked(() => readRecords(database.file));
}

/**
 * Rewrites a SQLite database, which no process may have open, so that nothing of what was deleted is left in its files. Frees the
 * space of what was deleted in a PostgreSQL database, where its bytes last until they are overwritten. Resolves with false if this
 * program's user may not do that.
 */
export async function scrubDatabase({ database }: Address): Promise<boolean> {
  if (database.engine === "postgres") return freeSpace(database);
  await whenUnlocked(() => scrub(database.file));
  return true;
}

/**
 * Returns the file of a database that only the API writes, so that other processes change records through it. Undefined if they write to
 * the database themselves.
 */
export function fileOfApi({ database }: Address): string | undefined {
  return database.engine === "sqlite" ? database.file : undefined;
}

/**
 * Identifies a database in which consumers keep what they have done beside the records, so that a transaction of a consumer can end with
 * the commit of what its handlers change. Undefined if they keep it elsewhere.
 */
export function placeOfAll({ database }: Address): string | undefined {
  return database.engine === "postgres" ? placeOf(database) : undefined;
}

/** Resolves with whether an API serves the database now. */
export async function isServed({ database }: Address): Promise<boolean> {
  if (database.engine === "postgres") return isSchemaServed(database);
  return isLocked(lockFileOf(database.file));
}

/** Resolves with whether an API serves the database and has to stop before another process writes to it. */
export async function isLockedByApi(address: Address): Promise<boolean> {
  return address.database.engine === "sqlite" && isServed(address);
}

/**
 * Checks that the store can be read and is not damaged, whether or not an API serves it. Reads all of it.
 *
 * @throws {Error} if a file cannot be opened. The message names it.
 */
export async function inspectStore({ database, dataDir }: Places): Promise<StoreInspection> {
  if (database.engine === "postgres") return inspectSchema(database);
  const consumers = consumerStores({ database, dataDir });
  const files = (await consumers.queues()).map((queue) => consumers.shownOf(queue));
  return {
    database: await whenUnlocked(() => inspectDatabase(database.file)),
    consumers: await Promise.all(files.map((file) => whenUnlocked(() => inspectConsumerFile(file)))),
  };
}

/**
 * Returns the files of the store on this machine that users other than the owner and its group can open: the database's, and
 * those of consumers.
 */
export function exposedFiles({ database, dataDir }: Places): string[] {
  return database.engine === "postgres" ? [] : filesOpenToOthers(database.file, dataDir);
}

/** Returns the size of a SQLite database with its journal, in bytes. Returns null for a PostgreSQL database. */
export function sizeOnDisk({ database }: Address): number | null {
  return database.engine === "postgres" ? null : sizeOfFiles(database.file);
}

/**
 * Opens both ends of a move from a SQLite file to PostgreSQL. Resolves with undefined if the address is not one of PostgreSQL.
 *
 * @param options.locked whether to keep other processes from serving the file until the source is closed.
 * @throws {Error} if the file is served, is not of this version of the program, or cannot be opened.
 */
export async function openMove(
  file: string,
  { database }: Address,
  resources: readonly Resource[],
  options: { readonly locked: boolean },
): Promise<{ readonly source: MoveSource; readonly target: MoveTarget } | undefined> {
  if (database.engine !== "postgres") return undefined;
  return { source: await whenUnlocked(() => openMoveSource(file, resources, options)), target: openMoveTarget(database) };
}

/** Opens PostgreSQL to move something to it. Returns undefined if the address is not one of PostgreSQL. */
export function openMoveTo({ database }: Address): MoveTarget | undefined {
  return database.engine === "postgres" ? openMoveTarget(database) : undefined;
}

/**
 * Opens the files of consumers in a data folder to move what they keep.
 *
 * @param options.locked whether to keep the consumers from running until the sources are closed.
 * @param options.again whether to open those that were moved before, too.
 * @throws {Error} if a consumer runs, or its file is not of this version of the program.
 */
export async function openConsumerMoves(
  dataDir: string,
  options: { readonly locked: boolean; readonly again: boolean },
): Promise<ConsumerMoveSource[]> {
  const sources: ConsumerMoveSource[] = [];
  const files = new ConsumerFiles(consumersFolder(dataDir));
  try {
    for (const queue of await files.queues()) {
      const file = files.shownOf(queue);
      if (options.again || !hasMovedAway(file)) sources.push(await whenUnlocked(() => openConsumerMoveSource(queue, file, options)));
    }
    return sources;
  } catch (error) {
    for (const source of sources) source.close();
    throw error;
  }
}

/** Returns access to what the consumers keep. */
export function consumerStores({ database, dataDir }: Places): ConsumerStores {
  if (database.engine === "postgres") return new PostgresConsumerStores(database);
  return new ConsumerFiles(consumersFolder(dataDir));
}

/** Opens a store in memory, for a consumer that leaves nothing behind. */
export function temporaryConsumerStore(): ConsumerStore {
  return openConsumerFile(":memory:", { durable: false });
}
