import { Database } from "bun:sqlite";
import { isBusy } from "./lock-wait";

/**
 * Opens the database of the store to write to it.
 *
 * @param lockTimeoutMs how long it blocks its thread while another process holds the lock. Default: it does not; see lock-wait.ts.
 */
export function openForWriting(file: string, lockTimeoutMs = 0): Database {
  const db = new Database(file, { create: true, strict: true });
  try {
    // FULL: a commit is on disk, through a power cut, before it is answered.
    for (const pragma of [`busy_timeout = ${lockTimeoutMs}`, "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"])
      db.run(`PRAGMA ${pragma}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Names the file, and what would be right: SQLite and the file system do not say which file they mean. */
export function cannotOpen(file: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  const what = isBusy(error)
    ? "is locked by another program, such as an open transaction in a SQLite shell: end that."
    : `cannot be opened: ${error.message}. DATABASE_URL says where it is.`;
  return new Error(`The database ${file} ${what}`, { cause: error });
}
