import { readFileSync } from "node:fs";

/** Milliseconds per clock tick in /proc: there are 100 ticks per second on every Linux that Bun supports. */
const msPerTick = 10;

/** Returns the user and system time of a process and all its threads, in milliseconds. Returns NaN without /proc. */
export function cpuMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may have spaces.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return Number.NaN;
  }
}

/** Starts to measure a process. The returned function reports the CPU time used since then per item, in microseconds. */
export function cpuCounter(pid: number): (count: number) => number {
  const before = cpuMs(pid);
  return (count) => ((cpuMs(pid) - before) * 1000) / count;
}
