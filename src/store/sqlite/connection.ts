import { Database } from "bun:sqlite";

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
