import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Config } from "../../config/config";
import { bytesText } from "./bytes";
import { type Finding, failure, ok, warning } from "./finding";

const tooLittle = 128 * 1024 ** 2;
const little = 1024 ** 3;

/** Checks the free space for the data folder. */
export function checkDisk({ dataDir }: Config): Finding[] {
  const { bavail, bsize } = statfsSync(existing(resolve(dataDir)));
  return [diskFinding(bavail * bsize, dataDir)];
}

export function diskFinding(freeBytes: number, dataDir: string): Finding {
  const free = `${bytesText(freeBytes)} free for ${dataDir}`;
  const todo = "Free some, or set EVENT_RETENTION. On a full disk, every change is refused with 503.";
  if (freeBytes < tooLittle) return failure("disk", free, todo);
  return freeBytes < little ? warning("disk", free, todo) : ok("disk", free);
}

/** Returns a folder, or the nearest one above it that exists. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
