import { cpSync } from "node:fs";
import { type Benchmark, type Context, mustEqual, type Sample } from "../benchmark";
import { cpuCounter } from "../cpu";
import { openLogFile } from "../log-file";
import { databaseIn } from "../seeded";
import { mustMatchAnswers, type Server, startWarren } from "../servers";
import { load } from "../wrk";

const many = 10_000_000;
const few = 10_000;
const warmUpSeconds = 2;
const aim = { atMost: 1.2 };

export const logSize: Benchmark = {
  name: "log-size",
  title: `POST /items with ${many.toLocaleString("en-US")} events in the log vs. ${few.toLocaleString("en-US")}`,
  needs: ["wrk"],
  columns: [
    { key: "cpuMicros", label: "CPU µs/req", digits: 1, aim },
    { key: "p50Ms", label: "p50 ms", digits: 2, aim },
    { key: "commitMicros", label: "commit µs/req", digits: 1, aim },
    { key: "perSecond", label: "req/s", digits: 0 },
  ],
  warren: {
    name: "many",
    // The requests of a few seconds add little to the log.
    run: async (context: Context) => measured(await context.seeded({ items: context.size ?? many, updates: 0 }), context),
  },
  baseline: {
    name: "few",
    async run(context: Context) {
      cpSync(await context.seeded({ items: few, updates: 0 }), context.folder, { recursive: true });
      return measured(context.folder, context);
    },
  },
};

async function measured(folder: string, { seconds }: Context): Promise<Sample> {
  const log = openLogFile(databaseIn(folder));
  const before = log.items();
  const api = await startWarren(folder);
  const warmUp = await load(api.url, warmUpSeconds, ["post"]);
  const cpu = cpuCounter(api.pid);
  const commits = await commitSeconds(api);
  const measured = await load(api.url, seconds, ["post"]);
  const { perSecond, p50Ms, answers } = measured;
  const commitMicros = (((await commitSeconds(api)) - commits) * 1e6) / answers;
  const sample = { cpuMicros: cpu(answers), p50Ms, commitMicros, perSecond };
  await api.stop();
  const items = log.items();
  mustEqual({ items, "events in the log": log.events() });
  mustMatchAnswers(items - before, warmUp, measured);
  log.close();
  return sample;
}

/** Returns the total duration of all commits so far, including the flush to disk. */
async function commitSeconds({ url }: Server): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^warren_store_commit_duration_seconds_sum (\S+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}
