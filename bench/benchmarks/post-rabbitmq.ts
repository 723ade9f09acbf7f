import { environment, eventually } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import type { BenchBroker } from "../broker";
import { cpuCounter } from "../cpu";
import { openLogFile } from "../log-file";
import { heldItems, mustMatchAnswers, type Server, startServer } from "../servers";
import { type Load, load } from "../wrk";

const warmUpSeconds = 2;
const lookEveryMs = 250;
const settleTimeoutMs = 120_000;

const atMostTwoSeconds = { atMost: 2 };
const columns = (atLeast: number): Benchmark["columns"] => [
  { key: "perSecond", label: "req/s", digits: 0, aim: { atLeast } },
  { key: "p50Ms", label: "p50 ms", digits: 2 },
  { key: "p99Ms", label: "p99 ms", digits: 2, aim: { atMost: 1 } },
  { key: "cpuMicros", label: "CPU µs/req", digits: 1 },
  { key: "brokerMicros", label: "broker µs/req", digits: 1 },
  { key: "settledSeconds", label: "all sent after s", digits: 2, limit: atMostTwoSeconds },
];

const contenders: Pick<Benchmark, "warren" | "baseline"> = {
  warren: {
    name: "warren",
    async run({ seconds, folder, ...context }) {
      const broker = await context.broker();
      const env = environment(folder, broker.url);
      const api = await startServer("src/main.ts", env);
      await api.line("Connected to RabbitMQ");
      const log = openLogFile(env["DATABASE_URL"]?.replace("sqlite:", "") ?? "");
      const { warmUp, measured, sample } = await loaded(api, broker, seconds, async () => log.settled(), log.waiting);
      // wrk may leave requests in progress. They are done and confirmed once the API has stopped.
      await api.stop();
      const items = log.items();
      mustEqual({
        items,
        "events in the log": log.events(),
        confirmed: log.confirmed(),
        "messages in the queue": await broker.depth("item_events"),
      });
      mustMatchAnswers(items, warmUp, measured);
      log.close();
      return sample;
    },
  },
  baseline: {
    name: "sketch",
    async run({ seconds, ...context }: Context) {
      const broker = await context.broker();
      const sketch = await startServer("bench/baselines/sketch.ts", { RABBITMQ_URL: broker.url });
      const arrived = async () => (await broker.depth("item_events")) === (await heldItems(sketch));
      const { warmUp, measured, sample } = await loaded(sketch, broker, seconds, arrived);
      mustMatchAnswers(await heldItems(sketch), warmUp, measured);
      await sketch.stop();
      return sample;
    },
  },
};

export const postRabbitmq: Benchmark = {
  name: "post-rabbitmq",
  title: "POST /items with RabbitMQ: on disk and confirmed vs. in memory and fire-and-forget",
  needs: ["wrk", "rabbitmq"],
  columns: columns(1.25),
  ...contenders,
};

const times = 6;

export const sustained: Benchmark = {
  name: "sustained",
  title: "The same for six times as long; the backlog is given as the time in which its events were created",
  needs: ["wrk", "rabbitmq"],
  columns: [...columns(0.95), { key: "backlogSeconds", label: "max backlog s", digits: 2, limit: atMostTwoSeconds }],
  warren: { ...contenders.warren, run: (context) => contenders.warren.run({ ...context, seconds: context.seconds * times }) },
  baseline: { ...contenders.baseline, run: (context) => contenders.baseline.run({ ...context, seconds: context.seconds * times }) },
};

/**
 * @param settled Resolves with whether the broker has every event.
 * @param waiting Returns the number of events that the broker does not have yet.
 */
async function loaded(
  server: Server,
  broker: BenchBroker,
  seconds: number,
  settled: () => Promise<boolean>,
  waiting?: () => number,
): Promise<{ warmUp: Load; measured: Load; sample: Sample }> {
  const settle = () => eventually(async () => (await settled()) || undefined, "the broker to have every event", settleTimeoutMs);
  const warmUp = await load(server.url, warmUpSeconds, ["post"]);
  await settle();
  const cpu = cpuCounter(server.pid);
  const brokerCpu = cpuCounter(broker.pid);
  let backlog = 0;
  const watching = setInterval(() => {
    if (waiting) backlog = Math.max(backlog, waiting());
  }, lookEveryMs);
  const measured = await load(server.url, seconds, ["post"]).finally(() => clearInterval(watching));
  const ended = performance.now();
  await settle();
  const settledSeconds = (performance.now() - ended) / 1000;
  const { perSecond, p50Ms, p99Ms, answers } = measured;
  // CPU time includes sending the events that remain after the load, since they belong to its requests.
  return {
    warmUp,
    measured,
    sample: {
      perSecond,
      p50Ms,
      p99Ms,
      cpuMicros: cpu(answers),
      brokerMicros: brokerCpu(answers),
      settledSeconds,
      // Only a fire-and-forget publisher itself knows what it has not sent.
      backlogSeconds: waiting ? backlog / perSecond : Number.NaN,
    },
  };
}
