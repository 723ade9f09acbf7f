// What `bun run build --start` leaves for `bun run start`: one file with the API, its libraries and the project, and a list of what it was built from.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { libraryFolder, projectFolder } from "./folder";

export const preparedFolder = join(projectFolder, "dist/start");
/** The file to load instead of the sources. */
export const preparedProgram = join(preparedFolder, "main.js");
/** The list. It is written last, so that a build that was interrupted leaves none. */
export const inputsFile = join(preparedFolder, "inputs.json");

/** Folders in which a new file changes what is started. */
const searched = ["routes", "src/domain"].map((folder) => join(projectFolder, folder));

interface Input {
  readonly path: string;
  readonly size: number;
  /**
   * Time of the last change in whole seconds since 1970, since images keep no more. Null for a file that was as new as the build: it could
   * change again in the same second.
   */
  readonly changedAt: number | null;
  readonly hash: string;
}

/** Everything that a prepared start was built from. */
export interface Inputs {
  /** The version of Bun, whose bytecode no other one reads. */
  readonly bun: string;
  /** The folder of the library, whose path is in the program. */
  readonly library: string;
  readonly files: readonly Input[];
  /** The names in the folders that are searched for files. Null for a folder that does not exist. */
  readonly folders: readonly (readonly string[] | null)[];
}

/** A file that changed less than this before the build is compared by its content, in seconds. */
const newForSeconds = 2;
const bun = `${Bun.version}+${Bun.revision}`;

/**
 * Returns the description of the files that a start was built from.
 *
 * @param builtAt when the build began, in milliseconds since 1970.
 */
export function describeInputs(paths: readonly string[], builtAt: number): Inputs {
  const files = paths.map((path): Input => {
    const { size, mtimeMs } = statSync(path);
    const changedAt = Math.floor(mtimeMs / 1000);
    const isOld = changedAt < builtAt / 1000 - newForSeconds;
    // One that changed during the build never matches.
    return { path, size, changedAt: isOld ? changedAt : null, hash: mtimeMs < builtAt ? hashOf(path) : "" };
  });
  return { bun, library: libraryFolder, files, folders: searched.map(namesIn) };
}

/** Returns whether a prepared start exists, and everything that it was built from is unchanged. Never throws. */
export function isPrepared(): boolean {
  try {
    const inputs = JSON.parse(readFileSync(inputsFile, "utf8")) as Inputs;
    return (
      inputs.bun === bun &&
      inputs.library === libraryFolder &&
      JSON.stringify(inputs.folders) === JSON.stringify(searched.map(namesIn)) &&
      inputs.files.every(isUnchanged)
    );
  } catch {
    // There is none, or a file is gone.
    return false;
  }
}

function isUnchanged({ path, size, changedAt, hash }: Input): boolean {
  const now = statSync(path);
  return now.size === size && (Math.floor(now.mtimeMs / 1000) === changedAt || hashOf(path) === hash);
}

function hashOf(path: string): string {
  return Bun.hash(readFileSync(path)).toString(36);
}

function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  } catch {
    return null;
  }
}
