import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Returns the path of a note beside a database which says where its data has moved to. Without it, the database can be used again. */
function noteOf(file: string): string {
  return `${file}.moved`;
}

/** Notes that the data of a database has moved, so that no process serves it by accident any longer. */
export function noteMove(file: string, to: string): void {
  writeFileSync(noteOf(file), `${to}\n`, { mode: 0o600 });
}

/** Removes the note. */
export function forgetMove(file: string): void {
  rmSync(noteOf(file), { force: true });
}

export function hasMovedAway(file: string): boolean {
  return existsSync(noteOf(file));
}

/** @throws {Error} if the data of a database has moved. */
export function refuseMoved(file: string): void {
  let to: string;
  try {
    to = readFileSync(noteOf(file), "utf8").trim();
  } catch {
    return;
  }
  throw new Error(
    `The data of ${file} was moved to ${to}: set DATABASE_URL to that. To use ${file} again, without what has changed since, ` +
      `delete ${noteOf(file)}.`,
  );
}
