import { operatorChanges } from "../changing/operator-changes";
import { readConfig } from "../config/config";
import { absentTimer, placeIn, type ShownTimer, shownTimer, timerPage } from "../delivery/shown-timers";
import { counted } from "../observe/amounts";
import { parseWords, runCommand, UsageError, wholeNumber } from "../observe/command-line";
import { printable, tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import type { TimerQuery, TimerReads } from "../store/timers";
import { interrupted, onInterrupt, quoted, Trouble } from "./command";
import { confirmed } from "./confirmed";
import { paint, width } from "./output";
import { ProgressReport } from "./progress";
import { listTimers, showTimer } from "./timer-text";
import { existingLog } from "./transport";

const help = `Lists the events to publish later, and cancels them.

  bun run timers list                             those that are due first, first
  bun run timers list --resource order --id 7     those about one record
  bun run timers list --problem                   those that cannot be published, with the reasons
  bun run timers show NUMBER                      all details of one
  bun run timers cancel NUMBER…                   cancels some
  bun run timers cancel --key expire:7            cancels the one with a key

Filters (a timer must match all of them):
  --resource NAME   events of this resource, such as order
  --id ID           events of the record with this id
  --key KEY         the timer with this key
  --problem         those that cannot be published

Options:
  --limit N         list: maximum number per page; default 50 on a terminal, all in a pipe
  --after PLACE     list: show the next page; each page prints the PLACE of the next one
  --json            print one line of JSON for each timer; the default in a pipe
  --yes             cancel: do not ask for confirmation if filters select more than one
  --help            print this help

Works whether or not the API runs. Finds the database by DATABASE_URL, as the API does.
Exit codes: 0 done, 1 failed or no such timer, 2 wrong usage, 130 stopped with Ctrl+C.`;

const options = {
  resource: { type: "string" },
  id: { type: "string" },
  key: { type: "string" },
  problem: { type: "boolean" },
  limit: { type: "string" },
  after: { type: "string" },
  json: { type: "boolean" },
  yes: { type: "boolean", short: "y" },
} as const;
type Values = ReturnType<typeof parseWords<typeof options>>["values"];
type Filter = Omit<TimerQuery, "after" | "limit">;

const filters = ["resource", "id", "key", "problem"] as const;
/** The commands, with the options that each accepts. */
const accepted: Readonly<Record<string, readonly (keyof Values)[]>> = {
  list: [...filters, "limit", "after", "json"],
  show: ["json"],
  cancel: [...filters, "json", "yes"],
};
/** Number of timers to read, or cancel, at a time. */
const batch = 500;

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, options);
  const [name = "", ...numbers] = positionals;
  const takes = Object.hasOwn(accepted, name) ? accepted[name] : undefined;
  if (!takes) throw new UsageError(name ? `Unknown command "${name}".` : "Missing command: list, show or cancel.");
  for (const option of Object.keys(values) as (keyof Values)[]) {
    if (!takes.includes(option)) throw new UsageError(`${name} does not accept --${option}.`);
  }
  const run = name === "list" ? listing(values, numbers) : name === "show" ? showing(values, numbers) : cancelling(values, numbers);
  const log = await existingLog(readConfig({ isTerminal: false, listens: false }));
  try {
    return await run(log.timers);
  } finally {
    log.close();
  }
});

type Run = (timers: TimerReads) => Promise<number>;

function listing(values: Values, [unexpected]: readonly string[]): Run {
  if (unexpected !== undefined) throw new UsageError(`Unexpected argument "${unexpected}". Use show ${unexpected} for one timer.`);
  const filter = filterOf(values);
  const asLines = isForProgram(values);
  const limit = values.limit === undefined ? undefined : wholeNumber("--limit", values.limit, 1, 100_000);
  const after = values.after === undefined ? undefined : placeIn(values.after);
  if (values.after !== undefined && !after) throw new UsageError(`--after ${values.after}: use what the previous page has printed.`);
  return async (timers) => {
    if (asLines && limit === undefined) {
      for await (const page of pages(timers, filter, after)) await write(page);
      return 0;
    }
    const { timers: page, next } = await timerPage(timers, { ...filter, after, limit: limit ?? 50 });
    if (asLines) await write(page);
    else if (page.length > 0) console.log(listTimers(page, paint, width, Date.now()));
    else console.log(`No${after ? " more" : ""} events ${wordsOf(values).length > 0 ? "that match " : ""}are to be published later.`);
    if (next !== null) {
      const size = values.limit === undefined ? [] : ["--limit", values.limit];
      tell(`${asLines ? "" : "\n"}Next page: ${quoted(["bun", "run", "timers", "list", ...wordsOf(values), ...size, "--after", next])}`);
    }
    return 0;
  };
}

function showing(values: Values, [number, ...more]: readonly string[]): Run {
  if (number === undefined || more.length > 0) throw new UsageError("show needs the number of one timer.");
  const wanted = wholeNumber("show", number, 1);
  return async (timers) => {
    const timer = await timers.get(wanted);
    if (!timer) throw new Trouble(absentTimer(wanted));
    if (isForProgram(values)) await write([shownTimer(timer)]);
    else console.log(showTimer(shownTimer(timer), paint, Date.now()));
    return 0;
  };
}

function cancelling(values: Values, words: readonly string[]): Run {
  const numbers = words.map((word) => wholeNumber("cancel", word, 1));
  const which = wordsOf(values);
  if (numbers.length > 0 && which.length > 0) throw new UsageError("Numbers cannot be combined with filters.");
  if (numbers.length + which.length === 0)
    throw new UsageError("Select the timers to cancel: use their numbers, --resource, --id, --key or --problem.");
  const filter = filterOf(values);
  return async (timers) => {
    if (numbers.length > 0) return cancel(values, named(timers, [...new Set(numbers)]));
    if (values.key === undefined && !values.yes) {
      if (!process.stdin.isTTY) throw new UsageError("Cannot ask for confirmation without a terminal; use --yes to cancel.");
      const question = `Cancel the events to publish later with ${which.join(" ").replaceAll("--", "")}?`;
      if (!(await confirmed(printable(question)))) throw new Trouble("Nothing was cancelled.");
    }
    return cancel(values, pages(timers, filter));
  };
}

/** Cancels timers, and prints them. */
async function cancel(values: Values, chosen: AsyncIterable<readonly ShownTimer[]>): Promise<number> {
  const stopping = new AbortController();
  onInterrupt(() => stopping.abort());
  const progress = new ProgressReport("timer");
  const canceller = await operatorChanges(readConfig({ isTerminal: false, listens: false }), (await loadCatalogue()).resources);
  let count = 0;
  try {
    for await (const page of chosen) {
      const isDone = await Promise.all(page.map(({ number }) => canceller.cancelTimer(number)));
      const cancelled = page.filter((_, index) => isDone[index]);
      count += cancelled.length;
      if (isForProgram(values)) await write(cancelled);
      progress.update(null, count);
      if (stopping.signal.aborted) break;
    }
  } finally {
    progress.end();
    await canceller.close();
  }
  if (!isForProgram(values) || count === 0)
    tell(count === 0 ? "Nothing was cancelled: there is no such timer." : `Cancelled ${counted(count, "timer")}.`);
  return stopping.signal.aborted ? interrupted : count === 0 ? 1 : 0;
}

/** Yields the timers with these numbers. */
async function* named(timers: TimerReads, numbers: readonly number[]): AsyncGenerator<ShownTimer[]> {
  const found = await Promise.all(numbers.map((number) => timers.get(number)));
  const missing = numbers.find((_, index) => !found[index]);
  if (missing !== undefined) throw new Trouble(`${absentTimer(missing)} Nothing was cancelled.`);
  yield found.flatMap((timer) => (timer ? [shownTimer(timer)] : []));
}

/** Yields all timers that match, in the order of time. */
async function* pages(timers: TimerReads, filter: Filter, after?: TimerQuery["after"]): AsyncGenerator<ShownTimer[]> {
  for (let from = after; ; ) {
    const { timers: page, next } = await timerPage(timers, { ...filter, after: from, limit: batch });
    yield page;
    if (next === null) return;
    from = placeIn(next);
  }
}

/** True if the output is for a program: one line of JSON for each timer. */
function isForProgram({ json = false }: Values): boolean {
  return json || !process.stdout.isTTY;
}

function filterOf({ resource, id, key, problem: isHindered }: Values): Filter {
  return { resource, subject: id === undefined ? undefined : wholeNumber("--id", id, 1), key, isHindered };
}

/** Returns the options that filter. */
function wordsOf({ resource, id, key, problem }: Values): string[] {
  const words = Object.entries({ resource, id, key }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  return [...words, ...(problem ? ["--problem"] : [])];
}

/** Resolves when standard output has taken the lines, so that a slow reader does not fill the memory. */
function write(timers: readonly ShownTimer[]): Promise<void> {
  const lines = timers.map((timer) => `${printable(JSON.stringify(timer))}\n`).join("");
  return new Promise((resolve, reject) => process.stdout.write(lines, (error) => (error ? reject(error) : resolve())));
}
