import { checkEnvironment } from "../config/check-environment";
import type { Config } from "../config/config";
import { counted } from "../observe/amounts";
import { parseOptions, runCommand } from "../observe/command-line";
import { printableLines } from "../observe/terminal";
import { isExecutable } from "../project/executable";
import { checkBroker } from "./doctor/broker";
import { checkClock } from "./doctor/clock";
import { checkDisk } from "./doctor/disk";
import { checkVariables } from "./doctor/environment";
import { checkFileModes } from "./doctor/files";
import { type Finding, guarded, warning } from "./doctor/finding";
import { checkProject } from "./doctor/project";
import { checkQueues } from "./doctor/queues";
import { checkStore } from "./doctor/store";
import { checkVersions } from "./doctor/versions";
import { paint } from "./output";
import { printableJson } from "./text";
import { withTransport } from "./transport";

const help = `Checks this machine, this project and the running system, and says what to do about each problem.

  bun run doctor            checks; changes nothing
  bun run doctor --fix      checks, and fixes what needs no decision: file modes

Options:
  --json          print JSON
  --help          print this help

Checks:
  versions                  Bun and Warren
  environment               every variable, and those with a name that is probably misspelt
  data files, secrets       only this user can open the database, the files of consumers, .env, webhooks.json and keys
  store, consumer files     can be read and are not damaged; reads all of them
  migrations                the schema of the database is that of this version
  server, durability, connections, encryption, role
                            PostgreSQL is new enough, writable and safe, with connections left, TLS and no more rights than needed
  disk, clock               free space; this machine's clock, those of the API and of RabbitMQ
  broker                    RabbitMQ can be reached, is new enough, and accepts messages
  queue setup               no queue could drop events because of how it was declared
  conversions, relay, backlog, announcements, consumers, dead letters, quarantine, queues
                            as bun run status; a queue that no consumer has asked for in a week counts as abandoned
  generated, contracts      the generated modules and contracts/events.json are those of this project

Works whether or not the API, the consumers and RabbitMQ run. Exit codes: 0 no errors (there may be warnings), 1 errors, 2
wrong usage.`;

const options = { fix: { type: "boolean" }, json: { type: "boolean" } } as const;

const colours = { ok: "green", fixed: "green", warning: "yellow", error: "red" } as const;

const unchecked = warning("system", "not checked, because of the mistakes in the environment", "Correct them and run the doctor again.");

await runCommand(help, async (words) => {
  const { fix = false, json } = parseOptions(words, options);
  const findings = await allFindings(fix);
  console.log(json ? printableJson({ findings }) : [...findings.map(line), "", summary(findings)].join("\n"));
  return findings.some(({ state }) => state === "error") ? 1 : 0;
});

async function allFindings(fix: boolean): Promise<Finding[]> {
  const startedAt = { clock: Date.now(), steady: performance.now() };
  const environment = checkEnvironment();
  const { config } = environment;
  const found = await Promise.all([
    guarded("versions", checkVersions),
    guarded("environment", () => checkVariables(environment)),
    config ? systemFindings(config, fix, startedAt) : [unchecked],
    ...(isExecutable ? [] : [guarded("project", checkProject)]),
  ]);
  return found.flat();
}

async function systemFindings(config: Config, fix: boolean, startedAt: Parameters<typeof checkClock>[1]): Promise<Finding[]> {
  const files = await guarded("data files", () => checkFileModes(config, fix));
  const found = await Promise.all([
    guarded("disk", () => checkDisk(config)),
    guarded("clock", () => checkClock(config, startedAt)),
    guarded("broker", () =>
      withTransport(
        async (reached) => [...(await checkBroker(config, reached.transport)), ...(await guarded("queues", () => checkQueues(reached)))],
        { evenIfUnreachable: true },
      ),
    ),
  ]);
  // It blocks this thread while it reads, and RabbitMQ would seem not to answer in time.
  const store = await guarded("store", () => checkStore(config));
  // What hinders all checks is said once.
  const said = new Set(store.filter(({ state }) => state === "error").map(({ message }) => message));
  return [...files, ...store, ...found.flat().filter(({ message }) => !said.has(message))];
}

function line({ check, state, message, todo }: Finding): string {
  const text = [message, ...(todo === null ? [] : [todo])].map(sentence).join(" ");
  return `${paint(colours[state], state.padEnd(7))} ${check.padEnd(14)} ${printableLines(text).join(" ")}`;
}

/** Ends a message that is followed by what to do. */
function sentence(text: string, index: number, parts: readonly string[]): string {
  return index < parts.length - 1 && !/[.:!?]$/.test(text) ? `${text}.` : text;
}

function summary(findings: readonly Finding[]): string {
  const [errors, warnings] = (["error", "warning"] as const).map((state) => findings.filter((finding) => finding.state === state).length);
  if (!errors && !warnings) return paint("green", "No problems found.");
  return paint(errors ? "red" : "yellow", `${counted(errors ?? 0, "error")}, ${counted(warnings ?? 0, "warning")}.`);
}
