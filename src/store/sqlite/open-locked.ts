import type { Database } from "bun:sqlite";
import { cannotOpen, openForWriting } from "./connection/connection";
import { acquireLock, type Lock, lockFileOf } from "./connection/lock";
import { refuseMoved } from "./connection/moved-away";
import { makePrivate, refuseForeign } from "./connection/private-file";
import { migrate, storeMigrations } from "./schema/migrations";

/**
 * Opens the database for the one process that serves it, and upgrades its schema. Creates it if necessary. If `make` throws, closes
 * it again.
 *
 * @throws {Error} if another process serves this database, a newer program wrote it, its data has moved, or it cannot be opened.
 */
export function openLocked<T>(file: string, make: (db: Database, lock: Lock) => T): T {
  try {
    return lockAndOpen(file, make);
  } catch (error) {
    throw cannotOpen(file, error);
  }
}

function lockAndOpen<T>(file: string, make: (db: Database, lock: Lock) => T): T {
  refuseForeign(file);
  refuseMoved(file);
  const lock = acquireLock(lockFileOf(file));
  if (!lock) {
    throw new Error(
      `The database ${file} is in use by another Warren API. Only one process can serve a SQLite database: ` +
        "stop the other one, or set another file in DATABASE_URL.",
    );
  }
  let db: Database | undefined;
  try {
    makePrivate(file);
    db = openForWriting(file);
    migrate(db, file, storeMigrations);
    return make(db, lock);
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}
