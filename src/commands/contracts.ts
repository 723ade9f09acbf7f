import { join, relative } from "node:path";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { tell } from "../observe/terminal";
import { projectFolder as root } from "../project/folder";
import { loadCatalogue } from "../project/resources";
import { type Breach, breachesOf, type Published, publishedBy, widenings } from "../schema/published";
import { checkStored } from "./stored-events";

const help = `Checks the schemas of events against the published versions in contracts/events.json.

  bun run contracts:check                 compares the schemas in src/domain/ with the published versions
  bun run contracts:check --against-log   also lists stored events and dead letters that no consumer could read today
  bun run contracts:update                publishes the current schemas; refuses breaking changes

Options:
  --force   update: accept breaking changes, because the broken version was never deployed
  --help    print this help

A change is breaking if stored events can no longer be read, or if it can surprise a consumer of the published schema: a field
is gone, may now be missing, or has another type. A breaking change needs a new version with an upcaster from the previous one:
see docs/reference/events.md. Stored events are located by RABBITMQ_URL, DATABASE_URL and DATA_DIR, as for the API.
Exit codes: 0 no problems, 1 problems found, 2 wrong usage.`;

const file = join(root, "contracts/events.json");
const shownFile = relative(root, file);

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { force: { type: "boolean" }, "against-log": { type: "boolean" } });
  const [name = "", ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".`);
  if (name === "check") {
    if (values.force) throw new UsageError("check does not accept --force.");
    const isAsPublished = await check();
    return ((values["against-log"] ?? false) ? await checkStored() : true) && isAsPublished ? 0 : 1;
  }
  if (name !== "update") throw new UsageError(name ? `Unknown command "${name}".` : "Missing command: check or update.");
  if (values["against-log"]) throw new UsageError("update does not accept --against-log.");
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
    tell(`${what}: consumers with the previous schema may refuse it, so update consumers before the API.`);
  }
  if (Bun.deepEquals(publishedBy(catalogue, published), published)) return true;
  tell(`${shownFile} is out of date, without breaking changes: run \`bun run contracts:update\` and commit it.`);
  return false;
}

async function update(force: boolean): Promise<number> {
  const catalogue = await loadCatalogue();
  const published = await read();
  const breaches = breachesOf(catalogue, published);
  if (breaches.length > 0 && !force) {
    tellBreaches(breaches);
    tell(`\n${shownFile} was not changed. If the broken version was never deployed, use --force.`);
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
  tell("The schemas have breaking changes to published events.");
  for (const { types, version, what, advice } of breaches) tell(`\n${types.join(", ")} version ${version}: ${what}.\n  ${advice}`);
}

async function read(): Promise<Published> {
  const snapshot = Bun.file(file);
  return (await snapshot.exists()) ? ((await snapshot.json()) as Published) : {};
}
