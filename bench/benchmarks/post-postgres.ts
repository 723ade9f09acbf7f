import { environment } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import { cpuCounter } from "../cpu";
import { mustMatchAnswers, type Server, startServer } from "../servers";
import { load } from "../wrk";

const warmUpSeconds = 3;

/** POST on PostgreSQL, by one process, beside SQLite. Both are on the same disk. */
export const postPostgres: Benchmark = {
  name: "post-postgres",
  title: "POST /items without a broker: PostgreSQL vs. SQLite",
  needs: ["wrk", "postgres"],
  columns: [
    { key: "perSecond", label: "req/s", digits: 0, aim: { atLeast: 0.6 } },
    { key: "p50Ms", label: "p50 ms", digits: 2 },
    { key: "p99Ms", label: "p99 ms", digits: 2 },
    { key: "cpuMicros", label: "CPU µs/req", digits: 1 },
    { key: "databaseMicros", label: "database CPU µs/req", digits: 1 },
  ],
  warren: {
    name: "postgres",
    async run({ seconds, folder, postgres }) {
      const database = await postgres();
      const schema = database.schema();
      const api = await startServer("src/main.ts", { ...environment(folder), DATABASE_URL: schema.url });
      const cpu = await database.cpuCounter();
      const { answers, sample, loads } = await loaded(api, seconds);
      const databaseMicros = (await cpu(loads.reduce((sum, each) => sum + each.answers, 0))) || Number.NaN;
      await api.stop();
      const [counts] = await schema.evaluate<{ items: string; events: string }>(
        "SELECT (SELECT count(*) FROM items) AS items, (SELECT count(*) FROM events) AS events",
      );
      const items = Number(counts?.items);
      mustEqual({ items, "events in the log": Number(counts?.events) });
      mustMatchAnswers(items, ...loads);
      await schema.drop();
      return { ...sample, answers, databaseMicros };
    },
  },
  baseline: {
    name: "sqlite",
    async run({ seconds, folder }: Context) {
      const api = await startServer("src/main.ts", environment(folder));
      const { sample } = await loaded(api, seconds);
      await api.stop();
      return { ...sample, databaseMicros: 0 };
    },
  },
};

async function loaded(server: Server, seconds: number) {
  const warmUp = await load(server.url, warmUpSeconds, ["post"]);
  const cpu = cpuCounter(server.pid);
  const measured = await load(server.url, seconds, ["post"]);
  const { perSecond, p50Ms, p99Ms, answers } = measured;
  const sample: Sample = { perSecond, p50Ms, p99Ms, cpuMicros: cpu(answers) };
  return { loads: [warmUp, measured], answers, sample };
}
