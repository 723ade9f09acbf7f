import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { makePrivate } from "./private-file";

export interface Lock {
  release(): void;
}

/** However often somebody is just looking: that takes microseconds. */
const mostTries = 1000;

/**
 * Takes a lock between processes that the operating system gives back when its holder dies, however it dies: an
 * exclusive transaction on a SQLite file made for it. Undefined: another process holds it.
 */
export function acquireLock(file: string): Lock | undefined {
  makePrivate(file);
  const db = new Database(file);
  try {
    db.run("PRAGMA busy_timeout = 0");
    for (let tries = 1; !isFree(db, "BEGIN EXCLUSIVE"); tries += 1) {
      // Whoever looks whether the lock is held keeps it from being taken for that moment, but can be read beside.
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

/** Whether a process holds this lock now. Looks without taking it. */
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

/** Runs a statement; false: another process's lock forbids it. */
function isFree(db: Database, sql: string): boolean {
  try {
    db.run(sql);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return false;
    throw error;
  }
}
