import { mkdirSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../tests/support/folder";
import { endAll } from "../tests/support/processes";
import { type Benchmark, type Context, VoidRun } from "./benchmark";
import { consumer } from "./benchmarks/consumer";
import { get } from "./benchmarks/get";
import { latency } from "./benchmarks/latency";
import { post } from "./benchmarks/post";
import { postRabbitmq } from "./benchmarks/post-rabbitmq";
import { relay } from "./benchmarks/relay";
import { type BenchBroker, startBroker } from "./broker";
import { type Result, runRounds } from "./rounds";
import { resultJson, resultTable } from "./table";

const benchmarks: readonly Benchmark[] = [post, postRabbitmq, get, relay, consumer, latency];

const help = `Measures Warren against baselines, round by round in turn, and prints medians.

  bun run bench                  all benchmarks
  bun run bench post get         these

Benchmarks:
${benchmarks.map(({ name, title }) => `  ${name.padEnd(14)} ${title}`).join("\n")}

Options:
  --rounds N    rounds of each benchmark; default 5
  --seconds N   seconds under load in each round; default 10
  --events N    events that relay and consumer move in each round; default 200000
  --json        print the result as JSON
  --help        this text

A run in which something was lost, refused or came twice is void: it is said so, and the exit code is 1. The aim of
each benchmark is printed with its ratio and changes no exit code.`;

const missing = {
  wrk: () => (Bun.which("wrk") ? undefined : "wrk, the load generator, is not on PATH; on Debian: apt-get install wrk"),
  rabbitmq: () =>
    Bun.which("rabbitmq-server") || Bun.which("/usr/lib/rabbitmq/bin/rabbitmq-server")
      ? undefined
      : "rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server",
};

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "10" },
        events: { type: "string", default: "200000" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const count = (name: "rounds" | "seconds" | "events") => {
      if (!/^[1-9]\d{0,8}$/.test(values[name])) throw new Error(`--${name} is ${values[name]}; use a whole number from 1.`);
      return Number(values[name]);
    };
    const chosen = positionals.map((name) => {
      const found = benchmarks.find((benchmark) => benchmark.name === name);
      if (!found) throw new Error(`There is no benchmark "${name}"; there are ${benchmarks.map((known) => known.name).join(", ")}.`);
      return found;
    });
    const { json, help: helpWanted } = values;
    return { chosen, rounds: count("rounds"), seconds: count("seconds"), events: count("events"), json, helpWanted };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

const options = readArguments();
if (options.helpWanted) {
  console.log(help);
  process.exit(0);
}

const started = performance.now();
const progress = (text: string) => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
let broker: Promise<BenchBroker> | undefined;
const folder = temporaryFolder();
let runs = 0;
let cleaning: Promise<void> | undefined;

async function prepare(): Promise<Context> {
  if (cleaning) throw new Error("the bench was stopped");
  await (await broker)?.empty();
  runs += 1;
  const own = join(folder.path, String(runs));
  mkdirSync(own);
  return {
    seconds: options.seconds,
    events: options.events,
    folder: own,
    broker: () => {
      if (!broker) progress("starting a private RabbitMQ …");
      broker ??= startBroker();
      return broker;
    },
  };
}

/** Once, however often it is called: a signal may come while it is under way. */
function cleanUp(): Promise<void> {
  cleaning ??= removeEverything();
  return cleaning;
}

async function removeEverything(): Promise<void> {
  await endAll();
  await (await broker?.catch(() => undefined))?.dispose();
  // A run that was under way may have started one more.
  await endAll();
  folder.remove();
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
if (loadBefore > 0.5) progress(`other programs keep this machine busy (load ${loadBefore.toFixed(1)}): figures will be rough`);
for (const benchmark of options.chosen.length > 0 ? options.chosen : benchmarks) {
  const lacking = benchmark.needs.map((need) => missing[need]()).filter((text) => text !== undefined);
  if (lacking.length > 0) {
    progress(`${benchmark.name} is left out: ${lacking.join("; ")}`);
    if (options.chosen.length > 0) failures += 1;
    continue;
  }
  try {
    const result = await runRounds(benchmark, options.rounds, prepare, progress);
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
  const { rounds, seconds, events } = options;
  const machine = { bun: Bun.version, cores: availableParallelism(), loadBefore };
  console.log(JSON.stringify({ machine, rounds, seconds, events, benchmarks: results.map(resultJson) }, null, 2));
}
await cleanUp();
process.exit(failures > 0 ? 1 : 0);
