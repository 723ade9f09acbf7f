import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder for one test, in memory where the system has such a place: every commit is flushed, and on a busy disk the
 * tests would wait for little else. What happens to a disk when the power goes is no matter of these tests.
 */
export function memoryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(parent, "warren-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const parent = isWritable("/dev/shm") ? "/dev/shm" : tmpdir();

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
