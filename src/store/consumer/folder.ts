import { join } from "node:path";

/** Returns the folder in which consumers keep files of their own. */
export function consumersFolder(dataDir: string): string {
  return join(dataDir, "consumers");
}
