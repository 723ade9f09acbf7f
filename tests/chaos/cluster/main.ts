import { mkdirSync } from "node:fs";
import { parseWords, readCommandLine, UsageError, wholeNumber } from "../../../src/observe/command-line";
import { isPostgresInstalled } from "../../support/postgres-cluster";
import { endAll } from "../../support/processes";
import { isRabbitInstalled } from "../../support/rabbit-node";
import { Random } from "../random";
import { runSuite } from "../run-suite";
import { type Environment, startEnvironment } from "./environment";
import { type ClusterResult, runCluster } from "./run";
import { strikes } from "./strikes";
import { removeClusterSystems } from "./system";

const help = `Injects faults into a cluster under load, and checks that no guarantee is broken: three processes of the API on one
PostgreSQL and three RabbitMQ brokers, consumers, clients and a reader of the event stream.

  bun run chaos --cluster                         one round with all strikes at random
  bun run chaos --cluster leader-kill api-freeze  only these
  bun run chaos --cluster --minutes 60            rounds for an hour

Strikes:
${strikes.map(({ name, title }) => `  ${name.padEnd(20)} ${title}`).join("\n")}

Options:
  --strikes N   strikes in a round; default 28
  --runs N      number of rounds; default 1
  --minutes N   repeat the rounds for this long
  --logs DIR    keep the output of the processes in this folder
  --seed N      seed of all random choices, printed with each round; default: random
  --help        print this help

The command starts its own PostgreSQL and RabbitMQ, so postgresql and rabbitmq-server must be installed. Prints a line of JSON
for each round. The exit code is 1 if a guarantee was broken.`;

function readArguments(words: readonly string[]) {
  const { values, positionals } = parseWords(words, {
    cluster: { type: "boolean", default: false },
    strikes: { type: "string", default: "28" },
    runs: { type: "string", default: "1" },
    minutes: { type: "string" },
    logs: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  });
  const [first, ...more] = positionals.map((name) => {
    const found = strikes.find((strike) => strike.name === name);
    if (!found) throw new UsageError(`Unknown strike "${name}". Strikes: ${strikes.map((known) => known.name).join(", ")}.`);
    return found;
  });
  return {
    chosen: first ? ([first, ...more] as const) : strikes,
    strikes: wholeNumber("--strikes", values.strikes, 0),
    runs: wholeNumber("--runs", values.runs, 1),
    minutes: values.minutes === undefined ? undefined : wholeNumber("--minutes", values.minutes, 1),
    logs: values.logs,
    seed: wholeNumber("--seed", values.seed, 0),
  };
}

const options = readCommandLine(help, readArguments);
for (const [name, isInstalled] of [["postgresql", isPostgresInstalled] as const, ["rabbitmq-server", isRabbitInstalled] as const]) {
  if (isInstalled) continue;
  console.error(`${name} is not installed; on Debian: apt-get install ${name}`);
  process.exit(1);
}

const isTerminal = Boolean(process.stdout.isTTY);
const random = new Random(options.seed);
const deadline = options.minutes === undefined ? undefined : performance.now() + options.minutes * 60_000;
const results: ClusterResult[] = [];
let environment: Environment | undefined;
async function rounds(): Promise<void> {
  environment = await startEnvironment();
  for (let round = 1; deadline === undefined ? round <= options.runs : performance.now() < deadline; round += 1) {
    // The first round has the given seed, so that a round can be repeated by the seed in its result.
    const seed = round === 1 ? options.seed : random.between(0, 2 ** 31);
    const { chosen, strikes, logs } = options;
    if (logs) mkdirSync(logs, { recursive: true });
    const onProgress = ({ last, acknowledged }: { last: string; acknowledged: number }) => {
      if (isTerminal) process.stdout.write(`\r\x1b[K${acknowledged} changes acknowledged, last: ${last}`);
    };
    const result = await runCluster({ environment, seed, strikes, chosen, logs, onProgress });
    results.push(result);
    console.log(`${isTerminal ? "\r\x1b[K" : ""}${JSON.stringify(result)}`);
  }
}

async function cleanUp(): Promise<void> {
  await removeClusterSystems();
  await environment?.dispose().catch(() => {});
  await endAll();
}

const isDone = await runSuite(rounds, cleanUp);
const broken = results.filter(({ violations }) => violations.length > 0);
console.error(broken.length === 0 ? "No guarantee was broken." : `${broken.length} of ${results.length} rounds broke a guarantee.`);
process.exit(isDone && broken.length === 0 ? 0 : 1);
