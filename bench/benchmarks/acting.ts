import { cpSync } from "node:fs";
import { environment, eventually, run } from "../../tests/support/processes";
import { type Benchmark, type Contender, type Context, mustEqual } from "../benchmark";
import type { Timing } from "../clock";
import { openLogFile } from "../log-file";
import { programResult } from "../programs";
import { databaseIn } from "../seeded";
import { startWarren } from "../servers";

/** A consumer whose handler changes a record for each event of a backlog, through the API. */
function handler(name: string, hot: "0" | "1"): Contender {
  return {
    name,
    async run({ events, folder, seeded }: Context) {
      cpSync(await seeded({ items: events, updates: 0 }), folder, { recursive: true });
      const api = await startWarren(folder);
      const program = run(["bench/programs/act.ts"], { env: { ...environment(folder), EVENTS: String(events), HOT: hot } });
      const { count, seconds, cpuMicros } = await programResult<Timing>(program);
      const log = openLogFile(databaseIn(folder));
      await eventually(async () => log.events() >= 2 * events || undefined, "the last commits");
      mustEqual({ handled: count, expected: events, changes: log.events() - events });
      log.close();
      await program.stop();
      await api.stop();
      return { perSecond: count / seconds, cpuMicros };
    },
  };
}

export const acting: Benchmark = {
  name: "acting",
  title: "A handler with one change, 16 at a time: each of its own record vs. all of one",
  needs: [],
  columns: [
    { key: "perSecond", label: "events/s", digits: 0, limit: { atLeast: 2000 } },
    { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
  ],
  warren: handler("own record", "0"),
  baseline: handler("one record", "1"),
};

/** Timers that are due at once. */
function due(count: number): Contender {
  return {
    name: `${count / 1000},000 timers`,
    async run({ folder }: Context) {
      const program = run(["bench/programs/due-timers.ts", `${folder}/warren.db`], { env: { COUNT: String(count) } });
      const { count: fired, seconds } = await programResult<{ count: number; seconds: number }>(program);
      mustEqual({ fired, expected: count });
      return { perSecond: count / seconds, seconds };
    },
  };
}

export const timers: Benchmark = {
  name: "timers",
  title: "Events to publish later that are all due at once: 100,000 vs. 10,000",
  needs: [],
  columns: [
    { key: "perSecond", label: "events/s", digits: 0, aim: { atLeast: 0.5 } },
    { key: "seconds", label: "s", digits: 2, limit: { atMost: 10 } },
  ],
  warren: due(100_000),
  baseline: due(10_000),
};
