import { Database } from "bun:sqlite";

/** Opens the database of the store to write to it. */
export function openForWriting(file: string): Database {
  const db = new Database(file, { create: true, strict: true });
  // FULL: a commit is on disk, through a power cut, before it is answered.
  for (const pragma of ["busy_timeout = 2000", "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"])
    db.run(`PRAGMA ${pragma}`);
  return db;
}
