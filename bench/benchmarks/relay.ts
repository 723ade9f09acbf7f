import { join } from "node:path";
import { item } from "../../src/domain/item";
import { openSqliteStore } from "../../src/store/sqlite/store";
import { environment, eventually, run } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import type { Timing } from "../clock";
import { cpuCounter } from "../cpu";
import { openLogFile } from "../log-file";
import { programResult } from "../programs";
import { sampleItem } from "../sample-events";
import { startServer } from "../servers";

const drainTimeoutMs = 300_000;

const common: Pick<Benchmark, "needs" | "columns" | "warren"> = {
  needs: ["rabbitmq"],
  columns: [
    { key: "perSecond", label: "events/s", digits: 0, aim: { atLeast: 0.9 } },
    { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
    { key: "brokerMicros", label: "broker µs/event", digits: 1 },
  ],
  warren: {
    name: "warren",
    async run({ events, folder, ...context }) {
      const broker = await context.broker();
      const env = environment(folder, broker.url);
      const file = join(folder, "data", "warren.db");
      await fillLog(file, events);
      const log = openLogFile(file);
      mustEqual({ "stored events": log.events(), expected: events });
      const brokerCpu = cpuCounter(broker.pid);
      const api = await startServer("src/main.ts", env);
      const connected = JSON.parse(await api.line("Connected to RabbitMQ")) as { time: string };
      const cpu = cpuCounter(api.pid);
      await eventually(() => log.settled() || undefined, `${events} confirms`, drainTimeoutMs);
      const seconds = (Date.now() - Date.parse(connected.time)) / 1000;
      const sample = { perSecond: events / seconds, cpuMicros: cpu(events), brokerMicros: brokerCpu(events) };
      mustEqual({ confirmed: log.confirmed(), "messages in the queue": await broker.depth(item.queue), expected: events });
      log.close();
      await api.stop();
      return sample;
    },
  },
};

export const relay: Benchmark = {
  ...common,
  name: "relay",
  title: "The relay publishing stored events to RabbitMQ vs. raw publishing of the bodies, with confirms (window 2,048)",
  baseline: { name: "raw publish", run: (context) => published(context) },
};

export const relaySame: Benchmark = {
  ...common,
  name: "relay-same",
  title: "The same vs. raw publishing of the same messages: with properties and headers, mandatory, through the exchange",
  baseline: { name: "raw publish", run: (context) => published(context, "same") },
};

async function published({ events, ...context }: Context, ...how: readonly string[]): Promise<Sample> {
  const broker = await context.broker();
  const brokerCpu = cpuCounter(broker.pid);
  const program = run(["bench/baselines/raw-publish.ts", broker.url, "raw", String(events), ...how]);
  const { count, seconds, cpuMicros } = await programResult<Timing>(program);
  const sample = { perSecond: count / seconds, cpuMicros, brokerMicros: brokerCpu(count) };
  await program.exited;
  mustEqual({ confirmed: count, "messages in the queue": await broker.depth("raw"), expected: events });
  return sample;
}

/** Writes items through the store, as the API does, while no relay sends their events. */
async function fillLog(file: string, events: number): Promise<void> {
  const store = openSqliteStore(file, [item]);
  for (let written = 0; written < events; written += 1000) {
    const count = Math.min(1000, events - written);
    await Promise.all(Array.from({ length: count }, () => store.insert(item, sampleItem)));
  }
  await store.close();
}
