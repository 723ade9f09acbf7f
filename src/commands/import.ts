import { fstatSync } from "node:fs";
import { readConfig } from "../config/config";
import { importedLine } from "../crud/import-line";
import { type JsonPiece, splitLines } from "../crud/split";
import { maxBodyBytes } from "../http/json-body";
import { HttpProblem } from "../http/problem";
import { counted, number } from "../observe/amounts";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { printable, tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { listMistakes } from "../schema/check";
import { BrokenHook } from "../schema/hook";
import type { Mistake } from "../schema/mistakes";
import { RefusedChange } from "../schema/refused-change";
import type { Resource } from "../schema/resource";
import type { Imported } from "../store/import";
import { isLockedByApi, openStore } from "../store/open";
import type { Store } from "../store/store";
import { interrupted, onInterrupt, Trouble } from "./command";
import { namedResource } from "./known-resource";
import { ProgressReport } from "./progress";

const help = `Creates records of a resource from lines of JSON on standard input, such as those of \`bun run export\`.

  bun run import item < items.ndjson

Options:
  --help    print this help

Each line is checked as a request is: schema, rules, unique values and references. It is created or refused by itself, and its
event is published. Refused lines are listed with the reasons; correct them and send the file again: a record that is there
already with the same id and fields is skipped. A line with \`id\` keeps it; without, it gets a new one. The service fills in
\`version\` (1), \`createdAt\` and \`updatedAt\`.

Stop the API first: only one process can write a SQLite database. POST /items/bulk creates records while it runs.
Finds the database by DATABASE_URL, as the API does.
Exit codes: 0 all records are there, 1 failed or lines were refused, 2 wrong usage, 130 stopped with Ctrl+C.`;

/** Maximum number of records per commit. */
const partRecords = 500;
/** Maximum number of bytes per commit. */
const partBytes = 1024 * 1024;
/** Maximum number of refused lines to list. */
const mostListed = 1000;

/** A line with its record, or why it is refused. */
type Line = { readonly line: number } & ({ readonly record: Imported } | { readonly refused: Refusal });
interface Refusal {
  readonly why: string;
  readonly mistakes?: readonly Mistake[] | undefined;
}

/** Creates the records of the lines, and counts what became of them. */
class Import {
  created = 0;
  present = 0;
  refused = 0;
  lines = 0;
  readonly #read: (bytes: Uint8Array) => Imported;
  #part: Line[] = [];
  #bytes = 0;

  constructor(
    readonly resource: Resource,
    readonly store: Store,
    readonly progress: ProgressReport,
  ) {
    this.#read = importedLine(resource);
  }

  async add({ place: line, bytes }: JsonPiece): Promise<void> {
    this.lines = line;
    this.#part.push({ line, ...this.#recordOf(bytes) });
    this.#bytes += bytes?.length ?? 0;
    if (this.#part.length === partRecords || this.#bytes >= partBytes) await this.commit();
  }

  #recordOf(bytes: Uint8Array | null): { record: Imported } | { refused: Refusal } {
    if (!bytes) return { refused: { why: `A record may have at most ${number(maxBodyBytes)} bytes.` } };
    try {
      return { record: this.#read(bytes) };
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      return { refused: { why: error.message, mistakes: error.errors } };
    }
  }

  /** Creates the records of the lines added since the last commit. */
  async commit(): Promise<void> {
    const part = this.#part;
    [this.#part, this.#bytes] = [[], 0];
    const records = part.flatMap((each) => ("record" in each ? [each.record] : []));
    const outcomes = (records.length > 0 ? await this.store.importEach(this.resource, records) : []).values();
    for (const each of part) {
      const outcome = "record" in each ? outcomes.next().value : undefined;
      if ("refused" in each) this.#refuse(each.line, each.refused);
      else if (outcome === "present") this.present += 1;
      else if (outcome instanceof RefusedChange) this.#refuse(each.line, { why: outcome.summary, mistakes: outcome.mistakes });
      else if (outcome instanceof BrokenHook) this.#refuse(each.line, { why: outcome.message });
      else this.created += 1;
    }
  }

  #refuse(line: number, { why, mistakes = [] }: Refusal): void {
    this.refused += 1;
    if (this.refused > mostListed) return;
    const places = mistakes.length > 0 ? ` ${listMistakes(mistakes)}` : "";
    this.progress.note(printable(`line ${line}: ${why}${places}`));
  }

  end(): void {
    const { created, present, refused, resource } = this;
    if (refused > mostListed) tell(`${number(refused - mostListed)} more refused lines are not listed.`);
    const more = [present > 0 && `${number(present)} were there already`, refused > 0 && `${counted(refused, "line")} refused`];
    console.log([`Created ${counted(created, "record")} of ${resource.name}`, ...more.filter(Boolean)].join("; ").concat("."));
  }
}

await runCommand(help, async (words) => {
  const { positionals } = parseWords(words, {});
  const resource = await namedResource(positionals);
  if (process.stdin.isTTY) throw new UsageError("Send the records on standard input, such as < items.ndjson.");
  const config = readConfig({ isTerminal: false, listens: false });
  if (await isLockedByApi(config)) {
    throw new Trouble(
      `The API is running on ${config.database.shown}, and only one process can write it. Stop the API, then import; or send the lines ` +
        `to POST /${resource.plural}/bulk as application/x-ndjson, up to 10,000 at a time.`,
    );
  }
  const store = await openStore(config, (await loadCatalogue()).resources);
  try {
    return await run(new Import(resource, store, new ProgressReport("line")));
  } finally {
    await store.close();
  }
});

async function run(importing: Import): Promise<number> {
  const stopping = new AbortController();
  const input = Bun.stdin.stream().getReader();
  onInterrupt(() => {
    stopping.abort();
    // End the read in progress: the other end of a pipe may send nothing for long.
    void input.cancel();
  });
  const size = sizeOfInput();
  const splitter = splitLines(maxBodyBytes, Number.POSITIVE_INFINITY);
  const { progress } = importing;
  let read = 0;
  for (let next = await input.read(); !next.done && !stopping.signal.aborted; next = await input.read()) {
    read += next.value.length;
    for (const piece of splitter.push(next.value)) {
      if (stopping.signal.aborted) break;
      await importing.add(piece);
    }
    progress.update(size && read / size, importing.lines);
  }
  if (!stopping.signal.aborted) for (const piece of splitter.end()) await importing.add(piece);
  await importing.commit();
  progress.end();
  importing.end();
  if (!stopping.signal.aborted) return importing.refused > 0 ? 1 : 0;
  tell(`Stopped after line ${importing.lines}. Send the file again to continue; records with an id are not created twice.`);
  return interrupted;
}

/** Returns the size of standard input in bytes, or null if it is not a file. */
function sizeOfInput(): number | null {
  const stat = fstatSync(0);
  return stat.isFile() && stat.size > 0 ? stat.size : null;
}
