import { readFileSync } from "node:fs";

/** Milliseconds per clock tick in /proc: there are 100 ticks per second on every Linux that Bun supports. */
const msPerTick = 10;

/** Returns the user and system time of a process and all its threads, in milliseconds. Returns NaN without /proc. */
export const cpuMs = (pid: number) => timeIn(`/proc/${pid}/stat`);

function timeIn(file: string): number {
  try {
    const text = readFileSync(file, "utf8");
    // The second field is the program's name in parentheses, which may have spaces.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return Number.NaN;
  }
}

/** Starts to measure a process. The returned function reports the CPU time used since then per item, in microseconds. */
export const cpuCounter = (pid: number) => counter(() => cpuMs(pid));

/** As {@link cpuCounter} for the main thread of a process, which is what limits a program in JavaScript on a machine with many cores. */
export const mainThreadCounter = (pid: number) => counter(() => timeIn(`/proc/${pid}/task/${pid}/stat`));

function counter(time: () => number): (count: number) => number {
  const before = time();
  return (count) => ((time() - before) * 1000) / count;
}
