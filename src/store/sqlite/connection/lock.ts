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

/**
 * Maximum time to try while other processes check the lock with `isLocked`, in milliseconds. Each check takes microseconds, unless its process
 * gets no time meanwhile.
 */
const patienceMs = 2_000;

/**
 * Takes a lock between processes: an exclusive transaction on a SQLite file of its own. The operating system releases it if the
 * process dies. Returns undefined if another process holds the lock.
 */
export function acquireLock(file: string): Lock | undefined {
  makePrivate(file);
  const db = new Database(file);
  try {
    db.run("PRAGMA busy_timeout = 0");
    const deadline = performance.now() + patienceMs;
    while (!isFree(db, "BEGIN EXCLUSIVE")) {
      // A process that only checks the lock prevents BEGIN EXCLUSIVE for a moment, but does not prevent reading. Try again.
      if (performance.now() >= deadline || !isFree(db, look)) {
        db.close();
        return undefined;
      }
      Bun.sleepSync(0.1);
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
