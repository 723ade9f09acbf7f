import { statSync } from "node:fs";

/** Returns the size of a database and its journal, in bytes. */
export function sizeOfFiles(file: string): number {
  return [file, `${file}-wal`].reduce((sum, each) => sum + (statSync(each, { throwIfNoEntry: false })?.size ?? 0), 0);
}
