import { cpSync } from "node:fs";
import { environment, type Running, run } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import type { Timing } from "../clock";
import { openLogFile } from "../log-file";
import { programResult } from "../programs";
import { databaseIn } from "../seeded";
import { startWarren } from "../servers";
import { delays, latency, samplesPerSecond } from "./latency";

export const embedded: Benchmark = {
  name: "embedded",
  title: "Without a broker: a consumer with a trivial handler reading a backlog vs. reading and parsing alone",
  needs: [],
  columns: [
    { key: "perSecond", label: "events/s", digits: 0, limit: { atLeast: 100_000 } },
    { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
  ],
  warren: {
    name: "warren",
    async run(context) {
      const { events, folder } = context;
      await copyLog(context);
      const env = { ...environment(folder), EVENTS: String(events) };
      return counted(run(["bench/programs/count.ts"], { env }), events);
    },
  },
  baseline: {
    name: "raw read",
    async run(context) {
      await copyLog(context);
      return counted(run(["bench/baselines/raw-read.ts", databaseIn(context.folder)]), context.events);
    },
  },
};

export const embeddedLatency: Benchmark = {
  name: "embedded-latency",
  title: "Without a broker, idle: time from the HTTP response, which follows the commit, to the handler call vs. raw RabbitMQ",
  needs: ["rabbitmq"],
  columns: [
    { key: "p50Ms", label: "p50 ms", digits: 3, limit: { atMost: 10 } },
    { key: "p99Ms", label: "p99 ms", digits: 3 },
  ],
  warren: {
    name: "warren",
    async run({ seconds, folder }) {
      const api = await startWarren(folder);
      const count = seconds * samplesPerSecond;
      const program = run(["bench/programs/latency.ts"], { env: { ...environment(folder), API: api.url, COUNT: String(count) } });
      const sample = await delays(program, count);
      await api.stop();
      return sample;
    },
  },
  baseline: latency.baseline,
};

async function copyLog({ seeded, events, folder }: Context): Promise<void> {
  cpSync(await seeded({ items: events, updates: 0 }), folder, { recursive: true });
  const log = openLogFile(databaseIn(folder));
  mustEqual({ "events in the log": log.events(), expected: events });
  log.close();
}

async function counted(program: Running, events: number): Promise<Sample> {
  const { count, seconds, cpuMicros } = await programResult<Timing>(program);
  mustEqual({ handled: count, expected: events });
  await program.stop();
  return { perSecond: count / seconds, cpuMicros };
}
