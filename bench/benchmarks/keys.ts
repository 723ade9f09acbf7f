import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environment } from "../../tests/support/processes";
import type { Benchmark, Context, Sample } from "../benchmark";
import { cpuCounter } from "../cpu";
import { type Server, startServer } from "../servers";
import { keyed, plain, projects, shopIn, tickets } from "../shop";
import { load } from "../wrk";

const warmUpSeconds = 2;
const pageBytes = 4096;

/** Made once, and copied for each run. */
let seeded: Promise<string> | undefined;

async function startShop({ folder }: Context): Promise<Server> {
  seeded ??= shopIn(join(folder, ".."));
  cpSync(await seeded, folder, { recursive: true });
  return startServer("bench/programs/shop.ts", environment(folder));
}

export const keys: Benchmark = {
  name: "keys",
  title: `POST with a unique value, a reference and a rule, onto ${tickets.toLocaleString("en-US")} records vs. without them`,
  needs: ["wrk"],
  columns: [
    { key: "perSecond", label: "req/s", digits: 0, aim: { atLeast: 0.6 } },
    { key: "p50Ms", label: "p50 ms", digits: 2 },
    { key: "p99Ms", label: "p99 ms", digits: 2 },
    { key: "cpuMicros", label: "CPU µs/req", digits: 1 },
    { key: "pages", label: "pages/commit", digits: 0 },
  ],
  warren: { name: "with", run: (context) => posts(context, keyed.plural) },
  baseline: { name: "without", run: (context) => posts(context, plain.plural) },
};

async function posts(context: Context, plural: string): Promise<Sample> {
  const api = await startShop(context);
  const requests = ["post-ticket", `/${plural}`, String(projects)];
  await load(api.url, warmUpSeconds, requests);
  const [cpu, written, commits] = [cpuCounter(api.pid), writtenBytes(api.pid), await commitsOf(api)];
  const { answers, perSecond, p50Ms, p99Ms } = await load(api.url, context.seconds, requests);
  const pages = (writtenBytes(api.pid) - written) / pageBytes / ((await commitsOf(api)) - commits);
  const sample = { perSecond, p50Ms, p99Ms, cpuMicros: cpu(answers), pages };
  await api.stop();
  return sample;
}

export const expand: Benchmark = {
  name: "expand",
  title: "GET a page of 50 with ?expand= vs. without it",
  needs: ["wrk"],
  columns: [
    { key: "perSecond", label: "pages/s", digits: 0, aim: { atLeast: 0.5 } },
    { key: "p50Ms", label: "p50 ms", digits: 2 },
    { key: "cpuMicros", label: "CPU µs/page", digits: 0 },
  ],
  warren: { name: "with", run: (context) => lists(context, "&expand=project") },
  baseline: { name: "without", run: (context) => lists(context, "") },
};

async function lists(context: Context, query: string): Promise<Sample> {
  const api = await startShop(context);
  const file = join(context.folder, "paths");
  const paths = Array.from(
    { length: 4096 },
    () => `/${keyed.plural}?limit=50&after=${Math.floor(Math.random() * (tickets - 100))}${query}`,
  );
  await Bun.write(file, `${paths.join("\n")}\n`);
  await load(api.url, warmUpSeconds, ["paths", file]);
  const cpu = cpuCounter(api.pid);
  const { answers, perSecond, p50Ms } = await load(api.url, context.seconds, ["paths", file]);
  const sample = { perSecond, p50Ms, cpuMicros: cpu(answers) };
  await api.stop();
  return sample;
}

/** Returns the bytes that a process has written to disks, the log and the database together. */
function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

async function commitsOf({ url }: Server): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^warren_store_commit_duration_seconds_count (\d+)$/m.exec(text)?.[1]);
}
