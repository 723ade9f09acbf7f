import type { Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import type { DatabaseInspection, FileInspection } from "../inspection";
import { cannotOpen, readOnly } from "./connection/connection";
import { isBusy } from "./connection/lock-wait";
import { refuseForeign } from "./connection/private-file";
import { schemaVersionOf, storeMigrations } from "./schema/migrations";

/** Maximum number of faults to list. */
const mostFaults = 5;

/**
 * Inspects the database of the API. Reads all of it, and writes nothing. Returns undefined if there is none.
 *
 * @throws {Error} if it cannot be opened, for example because it is another program's file.
 */
export function inspectDatabase(file: string): DatabaseInspection | undefined {
  if (!existsSync(file)) return undefined;
  return reading(file, (db) => ({
    ...inspect(db, file),
    schemaVersion: schemaVersionOf(db),
    neededVersion: storeMigrations.length,
    server: null,
  }));
}

/** Inspects the file of a consumer, as {@link inspectDatabase} does. */
export function inspectConsumerFile(file: string): FileInspection {
  return reading(file, (db) => inspect(db, file));
}

function reading<T>(file: string, use: (db: Database) => T): T {
  try {
    refuseForeign(file);
    return readOnly(file, use);
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

function inspect(db: Database, file: string): FileInspection {
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return { shown: file, bytes: sizeOf(file), pendingBytes: sizeOf(`${file}-wal`), damage: damageIn(db) };
}

function damageIn(db: Database): string[] {
  try {
    const rows = db.query<{ quick_check: string }, []>(`PRAGMA quick_check(${mostFaults})`).all();
    return rows.map((row) => row.quick_check).filter((fault) => fault !== "ok");
  } catch (error) {
    if (isBusy(error) || !(error instanceof Error)) throw error;
    return [error.message];
  }
}
