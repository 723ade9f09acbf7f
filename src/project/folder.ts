import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Root folder of the library, in a clone or in `node_modules/`. */
export const libraryFolder = join(import.meta.dir, "../..");

/**
 * The folder with the files of the library's user: `routes/`, `consumers/`, `src/domain/`, `contracts/`. In a clone of the
 * library, it is the clone. If the library is installed as a package, it is the nearest folder with a `package.json`, from the
 * working directory upwards.
 */
export const projectFolder = import.meta.dir.includes("/node_modules/") ? nearestPackage(process.cwd()) : libraryFolder;

function nearestPackage(folder: string): string {
  const parent = dirname(folder);
  if (existsSync(join(folder, "package.json")) || parent === folder) return folder;
  return nearestPackage(parent);
}
