import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of the library's sources. */
const library = join(import.meta.dir, "../..");

/**
 * The folder that holds what the user of the library owns: `routes/`, `consumers/`, `src/domain/`, `contracts/`. In a clone
 * that is the clone itself; where the library is installed as a package, the nearest folder up from the working directory
 * with a `package.json`.
 */
export const projectFolder = import.meta.dir.includes("/node_modules/") ? nearestPackage(process.cwd()) : library;

function nearestPackage(folder: string): string {
  const parent = dirname(folder);
  if (existsSync(join(folder, "package.json")) || parent === folder) return folder;
  return nearestPackage(parent);
}
