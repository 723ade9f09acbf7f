import { Database } from "bun:sqlite";
import { isBusy } from "./lock-wait";

/**
 * Opens the store's database for writing.
 *
 * @param lockTimeoutMs how long to block the thread while another process holds the lock. Default: 0; see lock-wait.ts.
 */
export function openForWriting(file: string, lockTimeoutMs = 0): Database {
  const db = new Database(file, { create: true, strict: true });
  try {
    // With FULL, a commit that has returned survives a power cut.
    for (const pragma of [`busy_timeout = ${lockTimeoutMs}`, "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"])
      db.run(`PRAGMA ${pragma}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens a database only to read it, and closes it after `use`. */
export function readOnly<T>(file: string, use: (db: Database) => T): T {
  const db = new Database(file, { readonly: true, strict: true });
  try {
    return use(db);
  } finally {
    db.close();
  }
}

/** Returns an error that names the file and the fix, since errors of SQLite and the file system do not name the file. */
export function cannotOpen(file: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  const what = isBusy(error)
    ? "is locked by another program, such as an open transaction in a SQLite shell. End that transaction."
    : `cannot be opened: ${error.message}. Check DATABASE_URL.`;
  return new Error(`The database ${file} ${what}`, { cause: error });
}
