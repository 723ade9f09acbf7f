import { parseWords, readCommandLine, UsageError, wholeNumber } from "../../../src/observe/command-line";
import { type OwnPostgres, startPostgres } from "../../support/postgres";
import { isPostgresInstalled } from "../../support/postgres-cluster";
import { endAll } from "../../support/processes";
import { emptyBroker, type OwnRabbit, startRabbit } from "../../support/rabbit";
import { isRabbitInstalled } from "../../support/rabbit-node";
import { needs } from "../needs";
import { Random } from "../random";
import { runSuite } from "../run-suite";
import { type ActingResult, runActing } from "./run";
import { strikes } from "./strikes";
import { type Arrangement, removeActingSystems } from "./system";

const help = `Injects faults into a service whose consumers change records and set timers, and checks that each event has its changes
once, and that each timer becomes one event, in time.

  bun run chaos --acting                             each strike once, on each arrangement
  bun run chaos --acting api-kill clock-jump         only these
  bun run chaos --acting --on postgres --strikes 40  that many at random, with PostgreSQL

Strikes:
${strikes.map(({ name, title }) => `  ${name.padEnd(24)} ${title}`).join("\n")}

Options:
  --on NAME     sqlite, rabbitmq (SQLite and RabbitMQ) or postgres (with two processes of the API); default: all three
  --strikes N   strikes in a round; default: each one once
  --runs N      number of rounds; default 1
  --seed N      seed of all random choices, printed with each round; default: random
  --help        print this help

The command starts its own PostgreSQL and RabbitMQ, which must be installed for what needs them, and libfaketime for jumps of the clock.
Prints a line of JSON for each round. The exit code is 1 if a guarantee was broken.`;

const arrangements: readonly Arrangement[] = ["sqlite", "rabbitmq", "postgres"];

function readArguments(words: readonly string[]) {
  const { values, positionals } = parseWords(words, {
    acting: { type: "boolean", default: false },
    on: { type: "string" },
    strikes: { type: "string" },
    runs: { type: "string", default: "1" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  });
  const chosen = positionals.map((name) => {
    const found = strikes.find((strike) => strike.name === name);
    if (!found) throw new UsageError(`Unknown strike "${name}". Strikes: ${strikes.map((known) => known.name).join(", ")}.`);
    return found;
  });
  const { on } = values;
  if (on !== undefined && !arrangements.some((known) => known === on)) throw new UsageError(`--on ${on}: use ${arrangements.join(", ")}.`);
  return {
    chosen: chosen.length > 0 ? chosen : undefined,
    on: arrangements.filter((known) => on === undefined || known === on),
    strikes: values.strikes === undefined ? undefined : wholeNumber("--strikes", values.strikes, 0),
    runs: wholeNumber("--runs", values.runs, 1),
    seed: wholeNumber("--seed", values.seed, 0),
  };
}

const options = readCommandLine(help, readArguments);
const isPossible = { sqlite: true, rabbitmq: isRabbitInstalled, postgres: isPostgresInstalled };
const random = new Random(options.seed);
const results: ActingResult[] = [];
let postgres: OwnPostgres | undefined;
let rabbit: OwnRabbit | undefined;

async function rounds(): Promise<void> {
  for (let round = 1; round <= options.runs; round += 1) {
    // The first round has the given seed, so that a round can be repeated by the seed in its result.
    const seed = round === 1 ? options.seed : random.between(0, 2 ** 31);
    for (const arrangement of options.on) {
      if (!isPossible[arrangement]) continue;
      if (arrangement === "postgres") postgres ??= await startPostgres();
      if (arrangement === "rabbitmq") {
        rabbit ??= await startRabbit();
        await emptyBroker(rabbit);
      }
      const servers = { ...(arrangement === "postgres" && { postgres }), ...(arrangement === "rabbitmq" && { rabbit }) };
      const { chosen, strikes } = options;
      const result = await runActing({ arrangement, seed, chosen, strikes, ...servers });
      results.push(result);
      console.log(JSON.stringify(result));
    }
  }
}

async function cleanUp(): Promise<void> {
  await removeActingSystems();
  await Promise.all([postgres?.dispose(), rabbit?.dispose().catch(() => {})]);
  await endAll();
}

const isDone = await runSuite(rounds, cleanUp);
for (const arrangement of options.on) if (!isPossible[arrangement]) console.error(`Left out: ${arrangement}, which is not installed.`);
if (!needs.libfaketime.met()) console.error(`Left out: clock-jump; ${needs.libfaketime.missing}.`);
const violated = results.filter(({ violations }) => violations.length > 0).length;
console.error(violated === 0 ? "No guarantee was broken." : `${violated} of ${results.length} rounds broke a guarantee.`);
process.exit(isDone && violated === 0 ? 0 : 1);
