import { environment, run } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import { programResult } from "../programs";
import { startServer } from "../servers";
import { percentile } from "../statistics";

export const samplesPerSecond = 50;

export const latency: Benchmark = {
  name: "latency",
  title: "On an idle system: time from the HTTP response to the handler call vs. raw publish to delivery",
  needs: ["rabbitmq"],
  columns: [
    { key: "p50Ms", label: "p50 ms", digits: 3, aim: { atMost: 1.5 } },
    { key: "p99Ms", label: "p99 ms", digits: 3, aim: { atMost: 3 } },
  ],
  warren: {
    name: "warren",
    async run({ seconds, folder, ...context }) {
      const broker = await context.broker();
      const env = environment(folder, broker.url);
      const api = await startServer("src/main.ts", env);
      await api.line("Connected to RabbitMQ");
      const count = seconds * samplesPerSecond;
      const program = run(["bench/programs/latency.ts"], { env: { ...env, API: api.url, COUNT: String(count) } });
      const sample = await delays(program, count);
      await api.stop();
      return sample;
    },
  },
  baseline: {
    name: "raw",
    async run({ seconds, ...context }: Context) {
      const count = seconds * samplesPerSecond;
      const broker = await context.broker();
      return delays(run(["bench/baselines/raw-latency.ts", broker.url, String(count)]), count);
    },
  },
};

/** Returns percentiles of the delays, without the first tenth, which is warm-up. */
export async function delays(program: ReturnType<typeof run>, count: number): Promise<Sample> {
  const { delaysMs } = await programResult<{ delaysMs: number[] }>(program);
  mustEqual({ "exit code": await program.exited, expected: 0 });
  mustEqual({ arrived: delaysMs.length, sent: count });
  const measured = delaysMs.slice(Math.ceil(count / 10));
  return { p50Ms: percentile(measured, 0.5), p99Ms: percentile(measured, 0.99) };
}
