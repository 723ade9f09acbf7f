import { readdirSync, readFileSync } from "node:fs";

let limit: number | undefined;

/**
 * Returns the maximum number of open files and connections of this process. Returns Infinity if unknown, as on systems other than Linux.
 */
export function openFileLimit(): number {
  limit ??= readLimit();
  return limit;
}

function readLimit(): number {
  if (process.platform !== "linux") return Number.POSITIVE_INFINITY;
  const soft = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Returns the number of open files and connections of this process. Returns undefined if unknown, as on systems other than Linux. */
export function openFiles(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Reading the folder needs one more file descriptor, so the limit is reached.
    return openFileLimit();
  }
}
