import { readdirSync, readFileSync } from "node:fs";

let limit: number | undefined;

/** Returns how many files and connections this process may have open; Infinity where that is unknown, as beyond Linux. */
export function openFileLimit(): number {
  limit ??= readLimit();
  return limit;
}

function readLimit(): number {
  if (process.platform !== "linux") return Number.POSITIVE_INFINITY;
  const soft = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Returns how many files and connections this process has open; undefined where that is unknown, as beyond Linux. */
export function openFiles(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // To look takes one more.
    return openFileLimit();
  }
}
