import { environment, eventually } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample, VoidRun } from "../benchmark";
import type { BenchBroker } from "../broker";
import { type LogFile, openLogFile } from "../log-file";
import { megabytes, watchMemory } from "../memory";
import { databaseIn } from "../seeded";
import { mustMatchAnswers, type Server, startServer } from "../servers";
import { type Load, load } from "../wrk";

const queue = "item_events";
const minuteSeconds = 60;
const many = 1_000_000;
const pieceSeconds = 20;
const settleTimeoutMs = 600_000;

const columns: Benchmark["columns"] = [
  { key: "rssMb", label: "RSS MB", digits: 0, aim: { atMost: 1.3 } },
  { key: "peakMb", label: "peak MB", digits: 0 },
  { key: "perSecond", label: "req/s", digits: 0 },
];

const afterOneMinute = {
  name: "after 1 min",
  run: (context: Context) => withApi(context, (system) => loadFor(minuteSeconds, system)),
};

export const memory: Benchmark = {
  name: "memory",
  title: "Memory of the API after 10 min of POST /items with RabbitMQ vs. after 1 min",
  needs: ["wrk", "rabbitmq"],
  rounds: 1,
  columns,
  warren: {
    name: "long after",
    run: (context: Context) => withApi(context, (system) => loadFor(context.minutes * minuteSeconds, system)),
  },
  baseline: afterOneMinute,
};

export const memoryBacklog: Benchmark = {
  name: "memory-backlog",
  title: `Memory of the API with RabbitMQ down and ${many.toLocaleString("en-US")} events waiting vs. after 1 min of load with RabbitMQ`,
  needs: ["wrk", "rabbitmq"],
  rounds: 3,
  columns,
  warren: {
    name: "broker down",
    run: (context: Context) => withApi(context, (system) => loadUntilWaiting(context.size ?? many, system)),
  },
  baseline: afterOneMinute,
};

interface System {
  readonly api: Server;
  readonly broker: BenchBroker;
  readonly log: LogFile;
}

interface Loaded {
  readonly loads: readonly Load[];
  readonly sample: Sample;
}

/** Runs the API on an empty database, and checks afterwards that every event is in the log and reached the queue. */
async function withApi({ folder, ...context }: Context, use: (system: System) => Promise<Loaded>): Promise<Sample> {
  const broker = await context.broker();
  const api = await startServer("src/main.ts", environment(folder, broker.url));
  await api.line("Connected to RabbitMQ");
  const log = openLogFile(databaseIn(folder));
  let received = 0;
  // Removes messages as they arrive, so that the broker's memory does not matter.
  const purge = async () => {
    // There is nothing to remove while the broker is stopped.
    const taken = await broker.purge(queue).catch(() => 0);
    received += taken;
  };
  const purging = setInterval(purge, 1000);
  try {
    const { loads, sample } = await use({ api, broker, log });
    await eventually(() => log.settled() || undefined, "the broker to have every event", settleTimeoutMs);
    const peakMb = megabytes(api.pid, "VmHWM");
    await api.stop();
    clearInterval(purging);
    await eventually(async () => ((await broker.depth(queue)) === 0 ? true : void (await purge())), "the queue to be empty");
    const items = log.items();
    mustEqual({ items, "events in the log": log.events(), confirmed: log.confirmed(), "messages received": received });
    mustMatchAnswers(items, ...loads);
    return { ...sample, peakMb };
  } finally {
    clearInterval(purging);
    log.close();
  }
}

async function loadFor(seconds: number, { api }: System): Promise<Loaded> {
  const watch = watchMemory(api.pid);
  const measured = await load(api.url, seconds, ["post"]);
  return { loads: [measured], sample: { ...watch.stop(), perSecond: measured.perSecond } };
}

/** Applies load while the broker is stopped, then starts it again. */
async function loadUntilWaiting(events: number, { api, broker, log }: System): Promise<Loaded> {
  await broker.stop();
  const watch = watchMemory(api.pid);
  const loads: Load[] = [];
  while (log.events() < events) loads.push(await load(api.url, pieceSeconds, ["post"]));
  const sample = { ...watch.stop(), perSecond: loads[0]?.perSecond ?? Number.NaN };
  if (log.confirmed() > 0) throw new VoidRun(`${log.confirmed()} events were confirmed although the broker was down`);
  await broker.start();
  return { loads, sample };
}
