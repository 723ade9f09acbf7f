import { dirname } from "node:path";
import { type Config, readConfig } from "../config/config";
import { defaultDatabase, parseDatabaseUrl } from "../config/database-url";
import { counted } from "../observe/amounts";
import { parseOptions, runCommand, UsageError } from "../observe/command-line";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import type { Resource } from "../schema/resource";
import type { ServerInspection } from "../store/inspection";
import type { ConsumerMoveSource } from "../store/moving/consumer-move";
import { findMisfits, type MoveProgress, MoveStopped, move } from "../store/moving/move";
import type { MoveSource } from "../store/moving/move-source";
import type { MoveTarget } from "../store/moving/move-target";
import { openConsumerMoves, openMove, openMoveTo, openStore } from "../store/open";
import { interrupted, onInterrupt, Trouble } from "./command";
import { planConsumers } from "./move-consumers";
import { MoveOutput } from "./move-output";
import { took } from "./text";

const help = `Moves all data of the API and its consumers from SQLite to PostgreSQL.

  export DATABASE_URL=postgres://shop:password@db.example.com/shop
  bun run migrate-to-postgres --from data/warren.db --dry-run    counts and checks, and changes nothing
  bun run migrate-to-postgres --from data/warren.db              moves

Options:
  --from FILE              the SQLite file of the API (${defaultDatabase.file})
  --dry-run                only count and check
  --leave TABLE            leave out the records in a table whose resource is no longer declared; may be repeated
  --leave-tables QUEUE     leave out the tables that the handlers of this consumer have created; may be repeated
  --only-consumers         move what consumers keep on this machine, after the API has been moved on another one
  --json                   print each step as a line of JSON
  --help                   print this help

Positions of the log, ids, idempotency keys, subscriptions and the positions of the relay and of consumers stay the same, so that
consumers, streams, lists and clients go on where they are. Everything is compared after it was copied, and only then can the API
be started with it. Stop the API first, and the consumers whose files are in DATA_DIR, which is the folder of FILE if not set. After
an interruption, run the command again: it goes on where it was. No file is changed; notes beside them keep the API and consumers
from being started with them by accident. See docs/guide/postgres.md.
Exit codes: 0 moved, or can be moved; 1 failed, or cannot be moved; 2 wrong usage; 130 stopped with Ctrl+C.`;

const setDatabase =
  "Set DATABASE_URL to the PostgreSQL database to move to: postgres://user:password@host:5432/database. Name the SQLite file with --from.";

interface Options {
  readonly file: string;
  readonly isDryRun: boolean;
  readonly leave: readonly string[];
  readonly leaveTables: readonly string[];
}

interface Ends {
  readonly config: Config;
  readonly resources: readonly Resource[];
  readonly source: MoveSource;
  readonly target: MoveTarget;
  readonly consumers: readonly ConsumerMoveSource[];
}

await runCommand(help, async (words) => {
  const flags = parseOptions(words, {
    from: { type: "string" },
    "dry-run": { type: "boolean", default: false },
    leave: { type: "string", multiple: true, default: [] },
    "leave-tables": { type: "string", multiple: true, default: [] },
    "only-consumers": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  const options = { ...flags, file: fileIn(flags.from), isDryRun: flags["dry-run"], leaveTables: flags["leave-tables"] };
  const config = readConfig({ isTerminal: false, listens: false, defaultDataDir: dirname(options.file) });
  const output = new MoveOutput(flags.json);
  return flags["only-consumers"] ? onlyConsumers(config, options, output) : everything(config, options, output);
});

async function everything(config: Config, options: Options, output: MoveOutput): Promise<number> {
  const { resources } = await loadCatalogue();
  const locked = !options.isDryRun;
  const { source, target } = await openEnds(options.file, config, resources, locked);
  let consumers: readonly ConsumerMoveSource[] = [];
  try {
    consumers = await openConsumerMoves(config.dataDir, { locked, again: true });
    return await run({ config, resources, source, target, consumers }, options, output);
  } finally {
    for (const each of [source, ...consumers]) each.close();
    await target.close();
  }
}

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
  throw new UsageError(setDatabase);
}

async function run(ends: Ends, { isDryRun, leave, leaveTables }: Options, output: MoveOutput): Promise<number> {
  const { source, target, consumers } = ends;
  const standing = await target.standing(source);
  if (standing === "moved") {
    output.say(`${source.shown} has been moved to ${target.shown} already.`, { step: "moved-before" });
    return 0;
  }
  const server = await target.inspect();
  checkServer(server, output);
  output.plan(source, target, server, standing);
  output.consumers(consumers);
  checkUndeclared(source, leave);
  const moves = await planConsumers(consumers, { leaveTables, replace: true });
  const stop = new AbortController();
  onInterrupt(() => stop.abort());
  const options = { consumers: moves, onProgress: (at: MoveProgress) => output.progress(at), stop: stop.signal };
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
  await prepare(ends, output);
  output.endProgress();
  const seconds = (performance.now() - begun) / 1000;
  output.say(`Moved to ${target.shown} in ${took(seconds * 1000)}. Start the API with this DATABASE_URL.`, { step: "moved", seconds });
  return 0;
}

/** Moves what the consumers keep whose files are on this machine. */
async function onlyConsumers(config: Config, { isDryRun, leaveTables }: Options, output: MoveOutput): Promise<number> {
  const target = openMoveTo(config);
  if (!target) throw new UsageError(setDatabase);
  let sources: readonly ConsumerMoveSource[] = [];
  try {
    sources = await openConsumerMoves(config.dataDir, { locked: !isDryRun, again: false });
    if (sources.length === 0)
      throw new Trouble(`There are no files of consumers in ${config.dataDir} that have not been moved. Check DATA_DIR.`);
    output.consumers(sources);
    const moves = await planConsumers(sources, { leaveTables, replace: false });
    for (const move of isDryRun ? [] : moves) {
      await target.moveConsumer(move);
      move.source.retire(target.shown);
    }
    output.say(isDryRun ? "Nothing was changed." : `Moved to ${target.shown}.`, { step: isDryRun ? "rehearsed" : "moved" });
    return 0;
  } finally {
    for (const source of sources) source.close();
    await target.close();
  }
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
