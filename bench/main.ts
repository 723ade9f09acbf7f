import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { parseWords, readCommandLine, UsageError, wholeNumber } from "../src/observe/command-line";
import { isPostgresInstalled } from "../tests/support/postgres-cluster";
import { endAll } from "../tests/support/processes";
import { type Benchmark, type Context, VoidRun } from "./benchmark";
import { acting, timers } from "./benchmarks/acting";
import { besideActing } from "./benchmarks/beside-acting";
import { consumer, consumerOnce } from "./benchmarks/consumer";
import { embedded, embeddedLatency } from "./benchmarks/embedded";
import { actingOncePostgres, embeddedPostgres, embeddedPostgresOnce, embeddedPostgresTwo } from "./benchmarks/embedded-postgres";
import { get, getBesidePost } from "./benchmarks/get";
import { groups, groupsDurable, groupsPostgres } from "./benchmarks/groups";
import { expand, keys } from "./benchmarks/keys";
import { latency } from "./benchmarks/latency";
import { list } from "./benchmarks/list";
import { lists } from "./benchmarks/lists";
import { listsPostgres } from "./benchmarks/lists-postgres";
import { logSize } from "./benchmarks/log-size";
import { logSizePostgres } from "./benchmarks/log-size-postgres";
import { memory, memoryBacklog } from "./benchmarks/memory";
import { post } from "./benchmarks/post";
import { postPostgres } from "./benchmarks/post-postgres";
import { postRabbitmq, sustained } from "./benchmarks/post-rabbitmq";
import { relay, relaySame } from "./benchmarks/relay";
import { retentionPostgres } from "./benchmarks/retention-postgres";
import { start } from "./benchmarks/start";
import { waitingTimers, waitingTimersPostgres } from "./benchmarks/waiting-timers";
import { type BenchBroker, startBroker } from "./broker";
import { type BenchPostgres, startBenchPostgres } from "./postgres";
import { type Result, runRounds } from "./rounds";
import { seededDatabases } from "./seeded";
import { resultJson, resultTable } from "./table";

const benchmarks: readonly Benchmark[] = [
  post,
  postPostgres,
  postRabbitmq,
  sustained,
  get,
  getBesidePost,
  keys,
  expand,
  list,
  lists,
  listsPostgres,
  relay,
  relaySame,
  consumer,
  consumerOnce,
  latency,
  embedded,
  embeddedLatency,
  embeddedPostgres,
  embeddedPostgresOnce,
  embeddedPostgresTwo,
  acting,
  besideActing,
  actingOncePostgres,
  timers,
  waitingTimers,
  waitingTimersPostgres,
  groups,
  groupsDurable,
  groupsPostgres,
  start,
  logSize,
  logSizePostgres,
  retentionPostgres,
  memory,
  memoryBacklog,
];

const help = `Measures Warren against baselines in alternating rounds, and prints medians.

  bun run bench                  all benchmarks
  bun run bench post get         only these

Benchmarks:
${benchmarks.map(({ name, title }) => `  ${name.padEnd(23)} ${title}`).join("\n")}

Options:
  --rounds N    rounds of each benchmark; default 5, but 1 for memory and 3 for memory-backlog
  --seconds N   seconds under load in each round; default 10 (sustained takes six times as long)
  --events N    events per round in relay, relay-same, consumer, consumer-once, embedded and embedded-postgres…; default 200000
  --minutes N   minutes of load in memory; default 10
  --size N      number of events or items in list, lists, lists-postgres, log-size, log-size-postgres, retention-postgres and memory-backlog; default: the large number in the title
  --json        print the results as JSON
  --help        print this help

A run is void if anything was lost, refused or duplicated; this is reported, and the exit code is 1. The target of each
benchmark is printed with its ratio and does not affect the exit code.`;

const missing = {
  wrk: () => (Bun.which("wrk") ? undefined : "wrk, the load generator, is not on PATH; on Debian: apt-get install wrk"),
  rabbitmq: () =>
    Bun.which("rabbitmq-server") || Bun.which("/usr/lib/rabbitmq/bin/rabbitmq-server")
      ? undefined
      : "rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server",
  postgres: () => (isPostgresInstalled ? undefined : "PostgreSQL is not installed; on Debian: apt-get install postgresql"),
};

const text = { type: "string" } as const;

function readArguments(words: readonly string[]) {
  const { values, positionals } = parseWords(words, {
    rounds: text,
    seconds: { ...text, default: "10" },
    events: { ...text, default: "200000" },
    minutes: { ...text, default: "10" },
    size: text,
    json: { type: "boolean", default: false },
  });
  const count = (name: "seconds" | "events" | "minutes") => wholeNumber(`--${name}`, values[name], 1, 999_999_999);
  const given = (name: "rounds" | "size") => {
    const value = values[name];
    return value === undefined ? undefined : wholeNumber(`--${name}`, value, 1, 999_999_999);
  };
  const chosen = positionals.map((name) => {
    const found = benchmarks.find((benchmark) => benchmark.name === name);
    if (!found) throw new UsageError(`Unknown benchmark "${name}". Use one of ${benchmarks.map((known) => known.name).join(", ")}.`);
    return found;
  });
  const amounts = { seconds: count("seconds"), events: count("events"), minutes: count("minutes"), size: given("size") };
  return { chosen, rounds: given("rounds"), amounts, json: values.json };
}

const options = readCommandLine(help, readArguments);

const started = performance.now();
const progress = (text: string) => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
let broker: Promise<BenchBroker> | undefined;
let postgres: Promise<BenchPostgres> | undefined;
const place = mkdtempSync("/var/tmp/warren-bench-");
const seeded = seededDatabases(join(place, "seeded"), progress);
let runs = 0;
let cleaning: Promise<void> | undefined;

async function prepare(): Promise<Context> {
  if (cleaning) throw new Error("the benchmark was stopped");
  await (await broker)?.empty();
  runs += 1;
  // The previous run may have left gigabytes on the disk.
  rmSync(join(place, String(runs - 1)), { recursive: true, force: true });
  const folder = join(place, String(runs));
  mkdirSync(folder);
  return {
    ...options.amounts,
    folder,
    progress,
    seeded,
    broker: () => {
      if (!broker) progress("starting a private RabbitMQ …");
      broker ??= startBroker();
      return broker;
    },
    postgres: () => {
      if (!postgres) progress("starting a private PostgreSQL …");
      postgres ??= startBenchPostgres();
      return postgres;
    },
  };
}

/** Cleans up once, even if a signal arrives during the cleanup. */
function cleanUp(): Promise<void> {
  cleaning ??= removeEverything();
  return cleaning;
}

async function removeEverything(): Promise<void> {
  await endAll();
  await (await broker?.catch(() => undefined))?.dispose();
  await (await postgres?.catch(() => undefined))?.dispose();
  // A run in progress may have started another program.
  await endAll();
  rmSync(place, { recursive: true, force: true });
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, async () => {
    await cleanUp();
    process.exit(130);
  });
}

let failures = 0;
const results: Result[] = [];
const [loadBefore = 0] = loadavg();
if (loadBefore > 0.5) progress(`other programs are using this machine (load ${loadBefore.toFixed(1)}); results will be imprecise`);
if (options.amounts.size) progress(`--size ${options.amounts.size} replaces the large numbers in the titles`);
for (const benchmark of options.chosen.length > 0 ? options.chosen : benchmarks) {
  const lacking = benchmark.needs.map((need) => missing[need]()).filter((text) => text !== undefined);
  if (lacking.length > 0) {
    progress(`skipping ${benchmark.name}: ${lacking.join("; ")}`);
    if (options.chosen.length > 0) failures += 1;
    continue;
  }
  try {
    const result = await runRounds(benchmark, options.rounds ?? benchmark.rounds ?? 5, prepare, progress);
    results.push(result);
    if (!options.json) console.log(`\n${resultTable(result)}\n`);
  } catch (error) {
    failures += 1;
    if (cleaning) break;
    progress(`${benchmark.name} is void: ${error instanceof VoidRun ? error.message : error instanceof Error ? error.stack : error}`);
    await endAll();
  }
}
if (options.json) {
  const machine = { bun: Bun.version, cores: availableParallelism(), loadBefore };
  console.log(JSON.stringify({ machine, ...options.amounts, benchmarks: results.map(resultJson) }, null, 2));
}
await cleanUp();
process.exit(failures > 0 ? 1 : 0);
