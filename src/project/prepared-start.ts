// What `bun run build --start` leaves for `bun run start`: one file with the API, its libraries and the project, and what it was built from.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { libraryFolder, projectFolder } from "./folder";

export const preparedFolder = join(projectFolder, "dist/start");
/** The file to load instead of the sources. */
export const preparedProgram = join(preparedFolder, "main.js");
/** Describes the files that it was built from. Removed before a build and written after it, so that one that was interrupted leaves none. */
export const inputsFile = join(preparedFolder, "inputs.json");

/** Folders in which a new file changes what is started. */
const searched = ["routes", "src/domain"].map((folder) => join(projectFolder, folder));
/** Files that decide which other files are read. */
const settings = ["package.json", "bun.lock", "tsconfig.json", "bunfig.toml"];

interface Input {
  readonly path: string;
  readonly size: number;
  /**
   * Time of the last change in whole seconds since 1970, since images keep no more. Null for a file that was as new as the build: it may
   * change again in the same second, so its content is compared.
   */
  readonly changedAt: number | null;
  readonly hash: string;
}

/** Everything that a prepared start was built from. */
export interface Inputs {
  /** Version of Bun. It reads no bytecode of another one. */
  readonly bun: string;
  /** Folders of the library and the project. The program contains their paths. */
  readonly folders: readonly string[];
  readonly files: readonly Input[];
  /** Names in the folders that are searched for files. Null for a folder that does not exist. */
  readonly names: readonly (readonly string[] | null)[];
}

/** A file that changed later than this before a build is as new as the build, in seconds. */
const newForSeconds = 2;
const bun = `${Bun.version}+${Bun.revision}`;
const folders = [libraryFolder, projectFolder];

/** Returns the files that a build need not have read to depend on them: settings, and all in the folders that are searched. */
export function silentInputs(): string[] {
  const found = searched.flatMap((folder) => (namesIn(folder) ?? []).map((name) => join(folder, name)));
  const set = folders.flatMap((folder) => settings.map((name) => join(folder, name)));
  return [...found, ...set].filter((path) => existsSync(path) && statSync(path).isFile());
}

/**
 * Describes what a start was built from.
 *
 * @param paths the files that it depends on, absolute, each with the time in milliseconds since 1970 from which on it was read.
 */
export function describeInputs(paths: ReadonlyMap<string, number>): Inputs {
  const files = [...paths].map(([path, readAt]): Input => {
    const { size, mtimeMs } = statSync(path);
    const changedAt = secondsOf(mtimeMs);
    const isOld = changedAt < readAt / 1000 - newForSeconds;
    // A file that changed during the build matches nothing, since the build may have read what it was before.
    return { path, size, changedAt: isOld ? changedAt : null, hash: mtimeMs < readAt ? hashOf(path) : "" };
  });
  return { bun, folders, files, names: searched.map(namesIn) };
}

/** Returns whether all of this is still as it was. Throws if a file is gone. */
export function areCurrent(inputs: Inputs): boolean {
  return (
    inputs.bun === bun &&
    JSON.stringify(inputs.folders) === JSON.stringify(folders) &&
    JSON.stringify(inputs.names) === JSON.stringify(searched.map(namesIn)) &&
    inputs.files.every(isUnchanged)
  );
}

/** Returns whether there is a prepared start, and all that it was built from is still as it was. */
export function isPrepared(): boolean {
  try {
    return areCurrent(JSON.parse(readFileSync(inputsFile, "utf8")) as Inputs) && existsSync(preparedProgram);
  } catch {
    // Nothing was built, or a file is gone.
    return false;
  }
}

function isUnchanged({ path, size, changedAt, hash }: Input): boolean {
  const now = statSync(path);
  return now.size === size && (secondsOf(now.mtimeMs) === changedAt || hashOf(path) === hash);
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

function hashOf(path: string): string {
  return Bun.hash(readFileSync(path)).toString(36);
}

function namesIn(folder: string): string[] | null {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }).sort() : null;
}
