import { constants, type Database } from "bun:sqlite";

const answer = new Int32Array(2);

/** Whether the file of an open database was removed, or another one is in its place: what is written now would be lost. */
export function hasMoved(db: Database): boolean {
  return db.fileControl(constants.SQLITE_FCNTL_HAS_MOVED, answer) === 0 && answer[0] !== 0;
}
