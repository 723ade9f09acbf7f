import { existsSync } from "node:fs";
import { join } from "node:path";

/** Returns the folder of the consumers' own files. */
export function consumersFolder(dataDir: string): string {
  return join(dataDir, "consumers");
}

/** Returns the queues that have a file in this folder, sorted by name. */
export function consumerFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return [...new Bun.Glob("*.db").scanSync(folder)].map((file) => file.slice(0, -".db".length)).sort();
}
