import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Leftovers } from "./leftovers";

/** Space that a broker and a service may need for a test with large messages. */
const neededBytes = 4 * 1024 ** 3;

/** The leftovers of this process, in memory if the system has room. */
export const leftovers = new Leftovers(hasRoom("/dev/shm") ? "/dev/shm" : tmpdir());

/**
 * Creates a folder for one test, in memory if the system has room. Every commit is flushed, so on a busy disk the tests would mostly wait.
 * A killed process leaves the same data in either place. These tests do not cover power failures.
 */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(leftovers.folder, "warren-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= neededBytes;
  } catch {
    return false;
  }
}

/** Writes a file that only this user can read: the service refuses secrets that others can open. */
export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o600);
}
