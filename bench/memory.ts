import { readFileSync } from "node:fs";
import { median } from "./statistics";

const everyMs = 1000;
/** How many of the last samples make the figure: a garbage collection comes and goes in less. */
const last = 15;

/** Follows the memory of a process. */
export interface MemoryWatch {
  /** Ends it: the median of the last seconds, and the most that there ever was. */
  stop(): { rssMb: number; peakMb: number };
}

export function watchMemory(pid: number): MemoryWatch {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(megabytes(pid, "VmRSS")), everyMs);
  return {
    stop() {
      clearInterval(timer);
      return { rssMb: median(samples.slice(-last)), peakMb: megabytes(pid, "VmHWM") };
    },
  };
}

/** NaN where there is no /proc. */
export function megabytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  try {
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}
