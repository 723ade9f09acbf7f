import { eventually, type Running, run } from "../tests/support/processes";
import type { Sample } from "./benchmark";
import { programResult } from "./programs";

/** The part of the events that one process of a queue has handled, as it reports it. */
export interface Share {
  readonly count: number;
  /** How far it was when, and what it had used of the processor. */
  readonly moments: readonly { readonly atMs: number; readonly handled: number; readonly cpuMicros: number }[];
}

const timeoutMs = 300_000;

/** The processes of one queue. */
export interface Shares {
  /** Resolves when they have handled a number of events. */
  handled(events: number): Promise<void>;
  /** Stops them. Resolves with what each has handled. */
  end(): Promise<Share[]>;
}

/** Starts processes that consume one queue. */
export function startShares(processes: number, env: Record<string, string>): Shares {
  const programs = Array.from({ length: processes }, () => run(["bench/programs/share.ts"], { env }));
  const handledBy = ({ stdout }: Running) => Number(stdout.at(-1)?.split(" ")[1] ?? 0);
  return {
    async handled(events) {
      const areHandled = () => programs.reduce((sum, program) => sum + handledBy(program), 0) >= events;
      await eventually(() => areHandled() || undefined, `${events} events to be handled`, timeoutMs);
    },
    async end() {
      const ended = programs.map((program) => program.stop());
      const shares = await Promise.all(programs.map((program) => programResult<Share>(program)));
      await Promise.all(ended);
      return shares;
    },
  };
}

/** Returns the speed of processes while all of them had events, and the CPU time that they used for each. */
export function speedOf(shares: readonly Share[]): Sample {
  const startMs = Math.max(...shares.map(({ moments }) => moments[0]?.atMs ?? Number.NaN));
  const endMs = Math.min(...shares.map(({ moments }) => moments.at(-1)?.atMs ?? Number.NaN));
  let [perSecond, cpuPerSecond] = [0, 0];
  for (const { moments } of shares) {
    const within = moments.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
    const [first, last] = [within[0], within.at(-1)];
    if (!first || !last) continue;
    const seconds = (last.atMs - first.atMs) / 1000;
    perSecond += (last.handled - first.handled) / seconds;
    cpuPerSecond += (last.cpuMicros - first.cpuMicros) / seconds;
  }
  return { perSecond, cpuMicros: cpuPerSecond / perSecond };
}
