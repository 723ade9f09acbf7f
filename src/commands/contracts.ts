import { join, relative } from "node:path";
import { parseWords, UsageError } from "../observe/command-line";
import { tell } from "../observe/terminal";
import { projectFolder as root } from "../project/folder";
import { loadCatalogue } from "../project/resources";
import { type Breach, breachesOf, type Published, publishedBy, widenings } from "../schema/published";
import { runCommand } from "./command";
import { checkStored } from "./stored-events";

const help = `Guards what was published: the schemas of events, version by version, as contracts/events.json has them.

  bun run contracts:check                 compares the schemas in src/domain/ with what was published
  bun run contracts:check --against-log   and says which events, in the log and among dead letters, no consumer could read today
  bun run contracts:update                writes what is published now; refuses what breaks what was

Options:
  --force   update: what it breaks was never really published
  --help    this text

A change breaks what was published when events of before cannot be read any more, or when a reader finds what it cannot have
been ready for: a field that is gone, may now be missing, or is of another type. It needs a new version, with an upcaster from
the one before: see docs/reference/events.md. RABBITMQ_URL, DATABASE_URL and DATA_DIR say where stored events are, as for the API.
Exit codes: 0 all is well, 1 something is not, 2 wrong usage.`;

const file = join(root, "contracts/events.json");
const shownFile = relative(root, file);

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { force: { type: "boolean" }, "against-log": { type: "boolean" } });
  const [name = "", ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`What is "${rest[0]}"?`);
  if (name === "check") {
    if (values.force) throw new UsageError("check takes no --force.");
    const isAsPublished = await check();
    return ((values["against-log"] ?? false) ? await checkStored() : true) && isAsPublished ? 0 : 1;
  }
  if (name !== "update") throw new UsageError(name ? `"${name}" is no command.` : "Say what to do: check or update.");
  if (values["against-log"]) throw new UsageError("update takes no --against-log.");
  return await update(values.force ?? false);
});

async function check(): Promise<boolean> {
  const catalogue = await loadCatalogue();
  const published = await read();
  const breaches = breachesOf(catalogue, published);
  if (breaches.length > 0) {
    tellBreaches(breaches);
    return false;
  }
  for (const what of widenings(catalogue, published)) {
    tell(`${what}: consumers of before may refuse that, so start the new ones before the API.`);
  }
  if (Bun.deepEquals(publishedBy(catalogue, published), published)) return true;
  tell(`${shownFile} is out of date, and nothing in it is broken: run \`bun run contracts:update\` and commit it.`);
  return false;
}

async function update(force: boolean): Promise<number> {
  const catalogue = await loadCatalogue();
  const published = await read();
  const breaches = breachesOf(catalogue, published);
  if (breaches.length > 0 && !force) {
    tellBreaches(breaches);
    tell(`\n${shownFile} was left as it is. If this was never really published, say --force.`);
    return 1;
  }
  const now = publishedBy(catalogue, published);
  if (Bun.deepEquals(now, published)) console.log(`${shownFile} is up to date.`);
  else {
    await Bun.write(file, `${JSON.stringify(now, null, 2)}\n`);
    console.log(`Wrote ${shownFile}`);
  }
  return 0;
}

function tellBreaches(breaches: readonly Breach[]): void {
  tell("The schemas of events break what was published.");
  for (const { types, version, what, advice } of breaches) tell(`\n${types.join(", ")} version ${version}: ${what}.\n  ${advice}`);
}

async function read(): Promise<Published> {
  const snapshot = Bun.file(file);
  return (await snapshot.exists()) ? ((await snapshot.json()) as Published) : {};
}
