import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc: 100 on every Linux that Bun runs on. */
const msPerTick = 10;

/** User and system time of a process and all its threads so far, in milliseconds. NaN where there is no /proc. */
export function cpuMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may hold spaces.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return Number.NaN;
  }
}

/** Starts to count: answers the microseconds of CPU that the process has used since then, for each of `count` things. */
export function cpuCounter(pid: number): (count: number) => number {
  const before = cpuMs(pid);
  return (count) => ((cpuMs(pid) - before) * 1000) / count;
}
