import { environment } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import { cpuCounter } from "../cpu";
import { openLogFile } from "../log-file";
import { heldItems, mustMatchAnswers, type Server, startServer } from "../servers";
import { type Load, load } from "../wrk";

const warmUpSeconds = 2;

export const post: Benchmark = {
  name: "post",
  title: "POST /items without a broker: on disk before the response vs. in memory",
  needs: ["wrk"],
  columns: [
    { key: "perSecond", label: "req/s", digits: 0, aim: { atLeast: 0.8 } },
    { key: "p50Ms", label: "p50 ms", digits: 2 },
    { key: "p99Ms", label: "p99 ms", digits: 2 },
    { key: "cpuMicros", label: "CPU µs/req", digits: 1 },
  ],
  warren: {
    name: "warren",
    async run({ seconds, folder }) {
      const env = environment(folder);
      const api = await startServer("src/main.ts", env);
      const { warmUp, measured, sample } = await loaded(api, seconds);
      // wrk may leave requests in progress. They are done once the API has stopped.
      await api.stop();
      const log = openLogFile(env["DATABASE_URL"]?.replace("sqlite:", "") ?? "");
      const items = log.items();
      mustEqual({ items, "events in the log": log.events() });
      mustMatchAnswers(items, warmUp, measured);
      log.close();
      return sample;
    },
  },
  baseline: {
    name: "echo",
    async run({ seconds }: Context) {
      const echo = await startServer("bench/baselines/echo.ts", {});
      const { warmUp, measured, sample } = await loaded(echo, seconds);
      mustMatchAnswers(await heldItems(echo), warmUp, measured);
      await echo.stop();
      return sample;
    },
  },
};

async function loaded(server: Server, seconds: number): Promise<{ warmUp: Load; measured: Load; sample: Sample }> {
  const warmUp = await load(server.url, warmUpSeconds, ["post"]);
  const cpu = cpuCounter(server.pid);
  const measured = await load(server.url, seconds, ["post"]);
  const { perSecond, p50Ms, p99Ms, answers } = measured;
  return { warmUp, measured, sample: { perSecond, p50Ms, p99Ms, cpuMicros: cpu(answers) } };
}
