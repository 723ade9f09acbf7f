import { constants, type Database } from "bun:sqlite";

const answer = new Int32Array(2);

/** Returns whether the file of an open database was removed or replaced, so that writes would be lost. */
export function hasMoved(db: Database): boolean {
  return db.fileControl(constants.SQLITE_FCNTL_HAS_MOVED, answer) === 0 && answer[0] !== 0;
}
