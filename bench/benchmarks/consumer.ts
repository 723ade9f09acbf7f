import { dirname, join } from "node:path";
import { openConsumerTables } from "../../src/store/sqlite/consumer/own-tables";
import { environment, eventually, type Running, run } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import type { BenchBroker } from "../broker";
import type { Timing } from "../clock";
import { cpuCounter } from "../cpu";
import { programResult } from "../programs";
import { databaseIn } from "../seeded";

const queue = "item_events";

const columns = (atLeast: number): Benchmark["columns"] => [
  { key: "perSecond", label: "events/s", digits: 0, aim: { atLeast } },
  { key: "cpuMicros", label: "CPU µs/event", digits: 1 },
  { key: "brokerMicros", label: "broker µs/event", digits: 1 },
];

const rawConsume: Benchmark["baseline"] = {
  name: "raw consume",
  async run({ events, ...context }: Context) {
    const broker = await context.broker();
    await fillQueue(broker, events);
    return consumed(broker, events, () => run(["bench/baselines/raw-consume.ts", broker.url, queue, String(events)]));
  },
};

export const consumer: Benchmark = {
  name: "consumer",
  title: "A consumer with a trivial handler vs. raw consume and ack (prefetch 512)",
  needs: ["rabbitmq"],
  columns: columns(1.3),
  warren: {
    name: "warren",
    async run({ events, folder, ...context }) {
      const broker = await context.broker();
      await fillQueue(broker, events);
      const env = { ...environment(folder, broker.url), EVENTS: String(events) };
      return consumed(broker, events, () => run(["bench/programs/count.ts"], { env }));
    },
  },
  baseline: rawConsume,
};

export const consumerOnce: Benchmark = {
  name: "consumer-once",
  title: "A consumer with exactly-once effects, one row per event, vs. raw consume and ack (prefetch 512)",
  needs: ["rabbitmq"],
  columns: columns(1),
  warren: {
    name: "warren",
    async run({ events, folder, ...context }) {
      const broker = await context.broker();
      await fillQueue(broker, events);
      const env = { ...environment(folder, broker.url), EVENTS: String(events) };
      const sample = await consumed(broker, events, () => run(["bench/programs/count-once.ts"], { env }));
      const tables = openConsumerTables(join(dirname(databaseIn(folder)), "consumers", `${queue}.db`));
      const rows = await tables?.get<{ rows: number; events: number }>(
        "SELECT count(*) AS rows, count(DISTINCT event) AS events FROM effects",
      );
      await tables?.close();
      mustEqual({ effects: rows?.rows ?? 0, "events with an effect": rows?.events ?? 0, expected: events });
      return sample;
    },
  },
  baseline: rawConsume,
};

async function fillQueue(broker: BenchBroker, events: number): Promise<void> {
  const publisher = run(["bench/baselines/raw-publish.ts", broker.url, queue, String(events)]);
  await programResult(publisher);
  await publisher.exited;
  mustEqual({ "messages in the queue": await broker.depth(queue), expected: events });
}

async function consumed(broker: BenchBroker, events: number, start: () => Running): Promise<Sample> {
  const brokerCpu = cpuCounter(broker.pid);
  const program = start();
  const { count, seconds, cpuMicros } = await programResult<Timing>(program);
  const sample = { perSecond: count / seconds, cpuMicros, brokerMicros: brokerCpu(count) };
  mustEqual({ handled: count, expected: events });
  await program.stop();
  // Events handled but not acknowledged would be back in the queue now.
  await eventually(async () => ((await broker.consumers(queue)) === 0 ? true : undefined), "the consumer to disconnect");
  mustEqual({ "messages left in the queue": await broker.depth(queue), expected: 0 });
  return sample;
}
