import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf } from "../../../observe/error-code";
import { consumersFolder } from "../../consumer/folder";

const anyAccessOfOthers = 0o007;
const searchByOthers = 0o001;
const writeByOthers = 0o002;

/** Returns the paths of a database and of the files that SQLite opens with it. They may not exist. */
export function databaseFiles(file: string): string[] {
  return ["", "-wal", "-shm", "-journal"].map((suffix) => `${file}${suffix}`);
}

/**
 * Creates a file that only this user can open, and its folder, unless they exist. SQLite gives the files that it creates
 * beside a database (`-wal`, `-shm`) the mode of the database.
 */
export function makePrivate(file: string): void {
  refusePlanted(file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/**
 * Throws `SQLITE_NOTADB` if a file exists and is not a SQLite database (https://www.sqlite.org/fileformat.html, section 1.3).
 * Reads only, so that a wrong path leaves nothing beside another program's file.
 */
export function refuseForeign(file: string): void {
  refusePlanted(file);
  const stats = statsOf(file);
  if (!stats) return;
  const isDatabase = stats.isFile() && (stats.size === 0 || firstBytes(file, 16) === "SQLite format 3\0");
  if (!isDatabase) throw Object.assign(new Error("file is not a database"), { code: "SQLITE_NOTADB" });
}

/**
 * Throws if another user, who can write to the folder (such as /tmp), has put a file or a link there before us. The service would
 * write through the link, or write data into a file that the other user can read. The kernel's `fs.protected_symlinks` does the same
 * where it is on (proc_sys_fs(5)).
 */
function refusePlanted(file: string): void {
  const folder = statsOf(dirname(file));
  if (!folder || !(folder.mode & writeByOthers)) return;
  for (const path of databaseFiles(file)) {
    const { uid } = lstatSync(path, { throwIfNoEntry: false }) ?? {};
    if (uid === undefined || uid === 0 || uid === process.getuid?.()) continue;
    const message = `${path} belongs to another user, and everyone can write to its folder; use a folder of your own`;
    throw Object.assign(new Error(message), { code: "EACCES" });
  }
}

/**
 * Returns the files of a data folder that users other than the owner and its group can open. It checks the database, the files
 * that SQLite keeps beside it, and the files of consumers. A folder that others cannot search protects its files.
 */
export function filesOpenToOthers(databaseFile: string, dataDir: string): string[] {
  const name = basename(databaseFile);
  const own = namesIn(dirname(databaseFile)).filter(
    (each) => each === name || /^(-wal|-shm|\.lock|\.lock-journal)$/.test(each.replace(name, "")),
  );
  const consumers = consumersFolder(dataDir);
  return [...own.map((each) => join(dirname(databaseFile), each)), ...namesIn(consumers).map((each) => join(consumers, each))].filter(
    isExposed,
  );
}

function isExposed(file: string): boolean {
  const stats = statsOf(file);
  const folder = statsOf(dirname(file));
  return Boolean(stats?.isFile() && stats.mode & anyAccessOfOthers && folder && folder.mode & searchByOthers);
}

function namesIn(folder: string): string[] {
  return statsOf(folder)?.isDirectory() ? readdirSync(folder) : [];
}

function statsOf(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

function firstBytes(file: string, count: number): string {
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(descriptor, bytes)).toString("latin1");
  } finally {
    closeSync(descriptor);
  }
}
