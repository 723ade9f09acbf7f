import { readFileSync } from "node:fs";
import { median } from "./statistics";

const everyMs = 1000;
/** Number of recent samples in the median. A garbage collection is shorter than that. */
const last = 15;

/** Watches the memory of a process. */
export interface MemoryWatch {
  /** Stops watching. Returns the median of the last seconds and the overall peak. */
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

/** Returns a memory value of a process, in megabytes. Returns NaN without /proc. */
export function megabytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  try {
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}
