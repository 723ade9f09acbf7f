import type { Config } from "../../config/config";
import { counted } from "../../observe/amounts";
import type { DatabaseInspection, FileInspection, StoreInspection } from "../../store/inspection";
import { inspectStore } from "../../store/open";
import { bytesText } from "./bytes";
import { type Finding, failure, ok, warning } from "./finding";
import { serverFindings } from "./server";

/** Size from which commits that wait to be written back need attention, in bytes. */
const muchPending = 512 * 1024 ** 2;

/** Checks that the database and the files of consumers can be read, are not damaged, and have the schema of this version. */
export async function checkStore(config: Config): Promise<Finding[]> {
  return storeFindings(await inspectStore(config), config.database.shown);
}

/** @param shown The address of the database, as messages show it. */
export function storeFindings({ database, consumers }: StoreInspection, shown: string): Finding[] {
  const damaged = consumers.filter(({ damage }) => damage.length > 0);
  return [
    ...(database ? databaseFindings(database) : [notYet(shown)]),
    ...damaged.map((file) =>
      damageOf(file, "Stop the consumer, move the file away, and start it again: it begins anew, as a new queue does."),
    ),
    ...(consumers.length > 0 && damaged.length === 0 ? [consumersFinding(consumers, database)] : []),
  ];
}

function consumersFinding(consumers: readonly FileInspection[], database: DatabaseInspection | undefined): Finding {
  if (!database?.server) return ok("consumer files", `${counted(consumers.length, "file")}, sound`);
  const size = consumers.reduce((sum, { bytes }) => sum + bytes, 0);
  return ok("queue schemas", `${counted(consumers.length, "schema")}, ${bytesText(size)}`);
}

function databaseFindings(database: DatabaseInspection): Finding[] {
  const { shown, bytes, pendingBytes, damage, schemaVersion, server } = database;
  if (server) {
    const found = schemaVersion === 0 ? [notYet(shown)] : [ok("store", `${shown}, ${bytesText(bytes)}`), migrationFinding(database)];
    return [...found, ...serverFindings(server)];
  }
  const size = `${shown}, ${bytesText(bytes)}`;
  if (damage.length > 0) return [damageOf(database, "Stop the API and restore a backup: see docs/guide/operating.md.")];
  const waits = `${bytesText(pendingBytes)} of commits wait to be written back`;
  const sound =
    pendingBytes > muchPending
      ? warning("store", `${size}; ${waits}`, "Look for a program that has kept the database open for a long time, such as a SQLite shell.")
      : ok("store", `${size}, sound`);
  return [sound, migrationFinding(database)];
}

function notYet(shown: string): Finding {
  return ok("store", `there is no database in ${shown} yet; the API creates it`);
}

function migrationFinding({ schemaVersion, neededVersion }: DatabaseInspection): Finding {
  if (schemaVersion === neededVersion) return ok("migrations", `schema version ${schemaVersion}, the newest`);
  const versions = `the database has schema version ${schemaVersion}, and this program version ${neededVersion}`;
  if (schemaVersion > neededVersion) return failure("migrations", versions, "Start the newer version of Warren that wrote it.");
  return warning("migrations", versions, "Make a backup, then start the API, which upgrades it.");
}

function damageOf({ shown, damage }: FileInspection, todo: string): Finding {
  return failure("store", `${shown} is damaged: ${damage.join("; ")}`, todo);
}
