import { parseWords, readCommandLine, UsageError, wholeNumber } from "../../src/observe/command-line";
import { endAll } from "../support/processes";
import { emptyBroker, type OwnRabbit, startRabbit } from "../support/rabbit";
import type { Fault, TransportName } from "./fault";
import { faults, mix } from "./faults";
import { needs } from "./needs";
import { Random } from "./random";
import { type RunResult, run } from "./run";
import { runSuite } from "./run-suite";
import { removeSystems } from "./system";
import { header, progressLine, resultLines, summary } from "./table";

const help = `Injects faults into a system under load, and checks that no guarantee is broken.

  bun run chaos                             all faults, on each transport that they apply to
  bun run chaos api-kill consumer-kill      only these
  bun run chaos --minutes 60                random faults for an hour
  bun run chaos --cluster --help            faults of a cluster with PostgreSQL and three brokers

Faults:
${faults.map(({ name, title }) => `  ${name.padEnd(22)} ${title}`).join("\n")}

Options:
  --transport NAME   rabbitmq or embedded; default: both
  --short            inject each fault fewer times; all faults take about ten minutes
  --runs N           runs of each fault on each transport; default 1
  --minutes N        repeat the faults for this long; default fault: mix
  --seed N           seed of all random choices, printed at the end; default: random
  --help             print this help

The command starts its own RabbitMQ, so rabbitmq-server must be installed. Some faults also need root (to mount a small
disk), strace or libfaketime. Faults whose requirements are missing are left out and reported. Prints a table on a
terminal, and a line of JSON per run in a pipe. The exit code is 1 if a guarantee was broken, or if a fault named on the
command line could not run.`;

const transports: readonly TransportName[] = ["rabbitmq", "embedded"];

function readArguments(words: readonly string[]) {
  const { values, positionals } = parseWords(words, {
    transport: { type: "string" },
    short: { type: "boolean", default: false },
    runs: { type: "string", default: "1" },
    minutes: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  });
  const chosen = positionals.map((name) => {
    const found = faults.find((fault) => fault.name === name);
    if (!found) throw new UsageError(`Unknown fault "${name}". Faults: ${faults.map((known) => known.name).join(", ")}.`);
    return found;
  });
  const { transport } = values;
  if (transport !== undefined && !transports.some((known) => known === transport)) {
    throw new UsageError(`--transport ${transport}: use rabbitmq or embedded.`);
  }
  return {
    chosen,
    transports: transports.filter((known) => transport === undefined || known === transport),
    isShort: values.short,
    runs: wholeNumber("--runs", values.runs, 1),
    minutes: values.minutes === undefined ? undefined : wholeNumber("--minutes", values.minutes, 1),
    seed: wholeNumber("--seed", values.seed, 0),
  };
}

const options = readCommandLine(help, readArguments);

const isTerminal = Boolean(process.stdout.isTTY);
const results: RunResult[] = [];
const leftOut: string[] = [];
const random = new Random(options.seed);
let rabbit: OwnRabbit | undefined;
let failed = false;

async function cleanUp(): Promise<void> {
  await removeSystems();
  await rabbit?.dispose().catch(() => {});
  await endAll();
}

/** Runs one fault on one transport, if this machine supports it. */
async function runOne(fault: Fault, transport: TransportName): Promise<void> {
  const wanted = [...(transport === "rabbitmq" ? (["rabbitmq"] as const) : []), ...(fault.needs ?? [])];
  const missing = wanted.map((need) => needs[need]).find(({ met }) => !met());
  if (missing) {
    const text = `${fault.name} on ${transport}: ${missing.missing}`;
    if (!leftOut.includes(text)) leftOut.push(text);
    if (options.chosen.length > 0) failed = true;
    return;
  }
  if (transport === "rabbitmq") {
    rabbit ??= await startRabbit();
    await emptyBroker(rabbit);
  }
  const seed = random.between(0, 2 ** 31);
  const strikes = fault.strikes[options.isShort ? "short" : "full"];
  const show = (progress: { strikes: number; acknowledged: number }) => {
    if (isTerminal) process.stdout.write(`\r\x1b[K${progressLine(fault.name, transport, strikes, progress)}`);
  };
  show({ strikes: 0, acknowledged: 0 });
  const result = await run({ fault, transport, seed, isShort: options.isShort, rabbit, onProgress: show });
  results.push(result);
  if (result.violations.length > 0) failed = true;
  if (isTerminal) process.stdout.write(`\r\x1b[K${resultLines(result).join("\n")}\n`);
  else console.log(JSON.stringify(result));
}

const chosen = options.chosen.length > 0 ? options.chosen : options.minutes === undefined ? faults : [mix];
if (isTerminal) console.log(header);
const deadline = options.minutes === undefined ? undefined : performance.now() + options.minutes * 60_000;
async function rounds(): Promise<void> {
  for (let round = 1; deadline === undefined ? round <= options.runs : performance.now() < deadline; round += 1) {
    for (const fault of chosen) {
      for (const transport of options.transports) {
        if (!fault.transports.includes(transport)) continue;
        if (deadline !== undefined && performance.now() > deadline) break;
        await runOne(fault, transport);
      }
    }
  }
}

const isDone = await runSuite(rounds, cleanUp);
for (const text of summary(results, options.seed, leftOut)) (isTerminal ? console.log : console.error)(text);
process.exit(isDone && !failed ? 0 : 1);
