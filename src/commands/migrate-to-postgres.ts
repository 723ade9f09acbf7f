import { type Config, readConfig } from "../config/config";
import { defaultDatabase, parseDatabaseUrl } from "../config/database-url";
import { parseOptions, runCommand, UsageError } from "../observe/command-line";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import type { Resource } from "../schema/resource";
import type { ServerInspection } from "../store/inspection";
import { findMisfits, type MoveProgress, MoveStopped, move } from "../store/moving/move";
import type { MoveSource } from "../store/moving/move-source";
import type { MoveTarget } from "../store/moving/move-target";
import { openMove, openStore } from "../store/open";
import { interrupted, onInterrupt, Trouble } from "./command";
import { MoveOutput } from "./move-output";
import { counted, took } from "./text";

const help = `Moves all data of the API from a SQLite file to PostgreSQL.

  export DATABASE_URL=postgres://shop:password@db.example.com/shop
  bun run migrate-to-postgres --from data/warren.db --dry-run    counts and checks, and changes nothing
  bun run migrate-to-postgres --from data/warren.db              moves

Options:
  --from FILE      the SQLite file (${defaultDatabase.file})
  --dry-run        only count and check
  --leave TABLE    leave out the records in a table whose resource is no longer declared; may be repeated
  --json           print each step as a line of JSON
  --help           print this help

Positions of the log, ids, idempotency keys, subscriptions and the position of the relay stay the same, so that consumers, streams,
lists and clients go on where they are. Everything is compared after it was copied, and only then can the API be started with it.
Stop the API first. After an interruption, run the command again: it goes on where it was. The file is not changed; a note beside
it keeps the API from being started with it by accident. See docs/guide/postgres.md.
Exit codes: 0 moved, or can be moved; 1 failed, or cannot be moved; 2 wrong usage; 130 stopped with Ctrl+C.`;

interface Ends {
  readonly config: Config;
  readonly source: MoveSource;
  readonly target: MoveTarget;
  readonly resources: readonly Resource[];
}

await runCommand(help, async (words) => {
  const options = parseOptions(words, {
    from: { type: "string" },
    "dry-run": { type: "boolean", default: false },
    leave: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  });
  const output = new MoveOutput(options.json);
  const config = readConfig({ isTerminal: false, listens: false });
  const { resources } = await loadCatalogue();
  const { source, target } = await openEnds(fileIn(options.from), config, resources, !options["dry-run"]);
  try {
    return await run({ config, source, target, resources }, { ...options, isDryRun: options["dry-run"] }, output);
  } finally {
    source.close();
    await target.close();
  }
});

function fileIn(from: string | undefined): string {
  if (from === undefined) return defaultDatabase.file;
  if (!from.startsWith("sqlite:")) return from;
  const address = parseDatabaseUrl(from);
  if ("file" in address) return address.file;
  throw new UsageError(`--from ${from}: use the path of a SQLite file.`);
}

async function openEnds(
  file: string,
  config: Config,
  resources: readonly Resource[],
  locked: boolean,
): Promise<Pick<Ends, "source" | "target">> {
  const ends = await openMove(file, config, resources, { locked });
  if (ends) return ends;
  throw new UsageError(
    `Set DATABASE_URL to the PostgreSQL database to move to: postgres://user:password@host:5432/database. Name the SQLite file with --from.`,
  );
}

async function run(ends: Ends, { isDryRun, leave }: { isDryRun: boolean; leave: readonly string[] }, output: MoveOutput): Promise<number> {
  const { source, target } = ends;
  const standing = await target.standing(source);
  if (standing === "moved") {
    if (!isDryRun) source.retire(target.shown);
    output.say(`${source.shown} has been moved to ${target.shown} already.`, { step: "moved-before" });
    return 0;
  }
  const server = await target.inspect();
  checkServer(server, output);
  output.plan(source, target, server, standing);
  checkUndeclared(source, leave);
  const stop = new AbortController();
  onInterrupt(() => stop.abort());
  const options = { onProgress: (at: MoveProgress) => output.progress(at), stop: stop.signal };
  const begun = performance.now();
  try {
    if (isDryRun) return await rehearse(ends, options, output);
    await move(source, target, ends.resources, options);
  } catch (error) {
    output.endProgress();
    if (!(error instanceof MoveStopped)) throw error;
    tell(isDryRun ? "Stopped." : "Stopped. Run the command again to go on.");
    return interrupted;
  }
  source.retire(target.shown);
  await prepare(ends, output);
  output.endProgress();
  const seconds = (performance.now() - begun) / 1000;
  output.say(`Moved to ${target.shown} in ${took(seconds * 1000)}. Start the API with this DATABASE_URL.`, { step: "moved", seconds });
  return 0;
}

/** Opens the store as the API does, so that its first start need not make the entries by which lists and constraints find records. */
async function prepare({ config, resources, target }: Ends, output: MoveOutput): Promise<void> {
  try {
    const store = await openStore(config, resources, { onBuilt: (title, records) => output.built(title, records) });
    await store.close();
  } catch (error) {
    output.endProgress();
    throw new Trouble(`All data has moved to ${target.shown}, but the API cannot be started with it yet. ${messageOf(error)}`);
  }
}

/** Looks at each row, and says whether all can be moved. */
async function rehearse({ source, target }: Ends, options: Parameters<typeof findMisfits>[2], output: MoveOutput): Promise<number> {
  const misfits = await findMisfits(source, target, options);
  output.endProgress();
  for (const { table, key, why } of misfits)
    output.say(`${table}: row ${key} cannot be moved, because ${why}.`, { step: "misfit", table, key, why });
  if (misfits.length > 0) throw new Trouble("Not all can be moved. Nothing was changed.");
  output.say("All can be moved. Nothing was changed.", { step: "rehearsed" });
  return 0;
}

function checkServer({ obstacles, dangers }: ServerInspection, output: MoveOutput): void {
  if (obstacles.length > 0) throw new Trouble(obstacles.map(({ what, todo }) => `${what}. ${todo}`).join("\n"));
  for (const { what, todo } of dangers) output.warn(`${what}. ${todo}`);
}

function checkUndeclared({ undeclared }: MoveSource, leave: readonly string[]): void {
  const unknown = leave.find((name) => !undeclared.some(({ table }) => table === name));
  if (unknown !== undefined) throw new UsageError(`--leave ${unknown}: there is no such table without a resource.`);
  const left = undeclared.filter(({ table }) => !leave.includes(table));
  if (left.length === 0) return;
  const lines = left.map(
    ({ table, records }) => `No resource of this project has the table "${table}" with ${counted(records, "record")}.`,
  );
  throw new Trouble(
    `${lines.join("\n")}\nDeclare the resource to move them, with \`retired: true\` if it is no longer used, or leave them out: ` +
      left.map(({ table }) => `--leave ${table}`).join(" "),
  );
}
