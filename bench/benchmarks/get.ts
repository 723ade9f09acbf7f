import { environment, send } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample, VoidRun } from "../benchmark";
import { cpuCounter } from "../cpu";
import { sampleItem } from "../sample-events";
import { type Server, startServer } from "../servers";
import { load } from "../wrk";

const warmUpSeconds = 2;
const items = 1000;
const reads = ["get", String(items)];

export const get: Benchmark = {
  name: "get",
  title: `GET /items/:id, any of ${items} items: from the database vs. a Map`,
  needs: ["wrk"],
  columns: [
    { key: "perSecond", label: "req/s", digits: 0, aim: { atLeast: 0.92 } },
    { key: "p50Ms", label: "p50 ms", digits: 2 },
    { key: "p99Ms", label: "p99 ms", digits: 2 },
    { key: "cpuMicros", label: "CPU µs/req", digits: 1 },
  ],
  ...contenders(measured),
};

export const getBesidePost: Benchmark = {
  name: "get-beside-post",
  title: `GET /items/:id, any of ${items} items, while as many clients create items: on disk vs. in memory`,
  needs: ["wrk"],
  columns: [
    { key: "perSecond", label: "GET/s", digits: 0 },
    { key: "p50Ms", label: "p50 ms", digits: 2 },
    { key: "p99Ms", label: "p99 ms", digits: 2 },
    { key: "postsPerSecond", label: "POST/s", digits: 0 },
  ],
  ...contenders(measuredBeside),
};

function contenders(measure: (server: Server, seconds: number) => Promise<Sample>): Pick<Benchmark, "warren" | "baseline"> {
  return {
    warren: {
      name: "warren",
      run: async ({ seconds, folder }: Context) => measure(await startServer("src/main.ts", environment(folder)), seconds),
    },
    baseline: {
      name: "echo",
      run: async ({ seconds }: Context) => measure(await startServer("bench/baselines/echo.ts", {}), seconds),
    },
  };
}

async function measured(server: Server, seconds: number): Promise<Sample> {
  await fill(server);
  await load(server.url, warmUpSeconds, reads);
  const cpu = cpuCounter(server.pid);
  const { perSecond, p50Ms, p99Ms, answers } = await load(server.url, seconds, reads);
  const sample = { perSecond, p50Ms, p99Ms, cpuMicros: cpu(answers) };
  await server.stop();
  return sample;
}

async function measuredBeside(server: Server, seconds: number): Promise<Sample> {
  await fill(server);
  const both = (duration: number) => Promise.all([load(server.url, duration, reads), load(server.url, duration, ["post"])]);
  await both(warmUpSeconds);
  const [{ perSecond, p50Ms, p99Ms }, { perSecond: postsPerSecond }] = await both(seconds);
  await server.stop();
  return { perSecond, p50Ms, p99Ms, postsPerSecond };
}

async function fill(server: Server): Promise<void> {
  for (let id = 1; id <= items; id += 1) {
    const answer = await send("POST", `${server.url}/items`, sampleItem);
    mustEqual({ "id of the new item": ((await answer.json()) as { id: number }).id, expected: id });
  }
  const read = await (await send("GET", `${server.url}/items/${items}`)).json();
  if (!Bun.deepMatch({ id: items, ...sampleItem }, read)) throw new VoidRun(`item ${items} is ${JSON.stringify(read)}`);
}
