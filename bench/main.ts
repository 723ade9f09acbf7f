import { availableParallelism, loadavg } from "node:os";
import { parseWords, readCommandLine, UsageError, wholeNumber } from "../src/observe/command-line";
import { isBrowserInstalled } from "../tests/support/browser";
import { isPostgresInstalled } from "../tests/support/postgres-cluster";
import { endAll } from "../tests/support/processes";
import { benchmarks } from "./all";
import { VoidRun } from "./benchmark";
import { openPlace } from "./place";
import { type Result, runRounds } from "./rounds";
import { resultJson, resultTable, textTable } from "./table";
import { reached, targetBenchmarks, targetRows } from "./targets";

const help = `Measures Warren against baselines in alternating rounds, and prints medians.

  bun run bench                  all benchmarks
  bun run bench post get         only these
  bun run bench targets          those of the project's targets

Benchmarks:
${benchmarks.map(({ name, title }) => `  ${name.padEnd(23)} ${title}`).join("\n")}

Options:
  --rounds N    rounds of each benchmark; default 5, but 1 for memory and 3 for memory-backlog
  --seconds N   seconds under load in each round; default 10
  --events N    events per round in relay, relay-same, consumer, consumer-once, embedded and embedded-postgres…; default 200000
  --minutes N   minutes of load in memory; default 10
  --size N      number of events or items in list, lists, lists-postgres, log-size, log-size-postgres, retention-postgres and memory-backlog; default: the large number in the title
  --json        print JSON lines: of each run, each benchmark and each target; default in a pipe
  --help        print this help

A run is void if anything was lost, refused or duplicated; this is reported, and the exit code is 1. The target of each
benchmark is printed with its ratio and does not affect the exit code.`;

const missing = {
  wrk: () => (Bun.which("wrk") ? undefined : "wrk, the load generator, is not on PATH; on Debian: apt-get install wrk"),
  rabbitmq: () =>
    Bun.which("rabbitmq-server") || Bun.which("/usr/lib/rabbitmq/bin/rabbitmq-server")
      ? undefined
      : "rabbitmq-server is not installed; on Debian: apt-get install rabbitmq-server",
  chromium: () => (isBrowserInstalled ? undefined : "no chromium is installed; on Debian: apt-get install chromium"),
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
    json: { type: "boolean", default: !process.stdout.isTTY },
  });
  const count = (name: "seconds" | "events" | "minutes") => wholeNumber(`--${name}`, values[name], 1, 999_999_999);
  const given = (name: "rounds" | "size") => {
    const value = values[name];
    return value === undefined ? undefined : wholeNumber(`--${name}`, value, 1, 999_999_999);
  };
  const chosen = positionals.flatMap((name) => {
    if (name === "targets") return targetBenchmarks;
    const found = benchmarks.find((benchmark) => benchmark.name === name);
    if (found) return [found];
    throw new UsageError(`Unknown benchmark "${name}". Use targets, or one of ${benchmarks.map((known) => known.name).join(", ")}.`);
  });
  const amounts = { seconds: count("seconds"), events: count("events"), minutes: count("minutes"), size: given("size") };
  return { chosen: [...new Set(chosen)], rounds: given("rounds"), amounts, json: values.json };
}

const options = readCommandLine(help, readArguments);

const started = performance.now();
const progress = (text: string) => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
/** Prints a line of JSON for programs. People read the tables, which then go where the progress goes. */
const record = (kind: string, value: object) => options.json && console.log(JSON.stringify({ kind, ...value }));
const show = options.json ? console.error : console.log;

const place = openPlace(options.amounts, progress);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, async () => {
    await place.cleanUp();
    process.exit(130);
  });
}

let failures = 0;
const results: Result[] = [];
const [loadBefore = 0] = loadavg();
record("machine", { bun: Bun.version, cores: availableParallelism(), loadBefore, date: new Date().toISOString(), ...options.amounts });
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
    const rounds = options.rounds ?? benchmark.rounds ?? 5;
    const result = await runRounds(benchmark, rounds, place.prepare, progress, (round) => record("round", round));
    results.push(result);
    record("result", resultJson(result));
    show(`\n${resultTable(result)}\n`);
  } catch (error) {
    failures += 1;
    if (place.isGone()) break;
    progress(`${benchmark.name} is void: ${error instanceof VoidRun ? error.message : error instanceof Error ? error.stack : error}`);
    await endAll();
  }
}
const targets = reached(results);
for (const target of targets) record("target", target);
if (targets.length > 0) show(`Targets\n${textTable(targetRows(targets))}\n`);
await place.cleanUp();
process.exit(failures > 0 ? 1 : 0);
