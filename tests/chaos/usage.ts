import { readdirSync, readFileSync } from "node:fs";
import type { Usage } from "./history";
import type { Program } from "./program";

interface Sample {
  readonly pid: number;
  readonly memoryMb: number;
  readonly descriptors: number;
}

/** Samples the resource usage of each process. The returned function reports the change since then, for processes still alive. */
export function sampleUsage(programs: readonly Program[]): () => Usage[] {
  const before = programs.map((program) => ({ program, sample: sampleOf(program) }));
  return () =>
    before.flatMap(({ program, sample }) => {
      const now = sampleOf(program);
      if (!sample || now?.pid !== sample.pid) return [];
      return [{ process: program.name, memoryMb: [sample.memoryMb, now.memoryMb], descriptors: [sample.descriptors, now.descriptors] }];
    });
}

function sampleOf({ pid }: Program): Sample | undefined {
  if (pid === undefined) return undefined;
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  return { pid, memoryMb: Math.round(kilobytes / 1024), descriptors: readdirSync(`/proc/${pid}/fd`).length };
}
