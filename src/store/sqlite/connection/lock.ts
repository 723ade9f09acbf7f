import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { codeOf } from "../../../observe/error-code";
import { makePrivate } from "./private-file";

export interface Lock {
  release(): void;
}

/** Returns the path of the lock that belongs to a database: the process that uses it holds the lock. */
export function lockFileOf(database: string): string {
  return `${database}.lock`;
}

/** Attempts to take the lock while other processes check it with `isLocked`. Each check takes microseconds. */
const mostTries = 1000;

/**
 * Takes a lock between processes: an exclusive transaction on a SQLite file of its own. The operating system releases it if the
 * process dies. Returns undefined if another process holds the lock.
 */
export function acquireLock(file: string): Lock | undefined {
  makePrivate(file);
  const db = new Database(file);
  try {
    db.run("PRAGMA busy_timeout = 0");
    for (let tries = 1; !isFree(db, "BEGIN EXCLUSIVE"); tries += 1) {
      // A process that only checks the lock prevents BEGIN EXCLUSIVE for a moment, but does not prevent reading. Try again.
      if (tries < mostTries && isFree(db, look)) continue;
      db.close();
      return undefined;
    }
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    release() {
      db.run("ROLLBACK");
      db.close();
    },
  };
}

/** Returns whether a process holds this lock now, without taking it. */
export function isLocked(file: string): boolean {
  if (!existsSync(file)) return false;
  const db = new Database(file, { readonly: true });
  try {
    db.run("PRAGMA busy_timeout = 0");
    return !isFree(db, look);
  } finally {
    db.close();
  }
}

const look = "SELECT 1 FROM sqlite_schema";

/** Runs a statement. Returns false if another process's lock prevents it. */
function isFree(db: Database, sql: string): boolean {
  try {
    db.run(sql);
    return true;
  } catch (error) {
    if (codeOf(error) === "SQLITE_BUSY") return false;
    throw error;
  }
}
