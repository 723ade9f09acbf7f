import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a broker and a service may need for a test with large messages. */
const neededBytes = 4 * 1024 ** 3;

/**
 * A folder for one test, in memory where the system has room for it: every commit is flushed, and on a busy disk the
 * tests would wait for little else. A process that is killed leaves the same behind in either place; what happens to a
 * disk when the power goes is no matter of these tests.
 */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(parent, "warren-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const parent = hasRoom("/dev/shm") ? "/dev/shm" : tmpdir();

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= neededBytes;
  } catch {
    return false;
  }
}

/** A file as a careful user keeps secrets: the service refuses one that others can open. */
export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o600);
}
