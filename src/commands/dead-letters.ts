import { deadGroupsOf } from "../delivery/dead-groups";
import type { DeadLetterPage, DeadLetters, DeadSelection, Watch } from "../delivery/dead-letters";
import { deadReasons } from "../delivery/outcome";
import { UnknownQueue } from "../delivery/queue-errors";
import { shownDeadLetter } from "../delivery/shown-dead-letter";
import { counted, number } from "../observe/amounts";
import { parseWords, runCommand, UsageError, wholeNumber } from "../observe/command-line";
import { printable, tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { interrupted, onInterrupt, quoted, Trouble } from "./command";
import { confirmed } from "./confirmed";
import { groupsText } from "./dead-group-text";
import { listDeadLetters, showDeadLetter } from "./dead-letter-text";
import { paint, width } from "./output";
import { ProgressReport } from "./progress";
import { table } from "./table";
import { printableJson } from "./text";
import { openDeadLetters, type Reached, withTransport } from "./transport";

const help = `Lists the events that consumers gave up on, puts them back on their queue, or removes them for good.

  bun run dead-letters list                                number of dead letters of each queue
  bun run dead-letters list QUEUE                          dead letters of a queue, oldest first
  bun run dead-letters groups QUEUE                        the same by error, the most frequent one first; looks at 10,000
  bun run dead-letters show QUEUE ID                       all details of one dead letter
  bun run dead-letters redrive QUEUE --all                 puts them back on the queue; attempts start over
  bun run dead-letters discard QUEUE --reason rejected     removes them for good

Filters (a dead letter must match all of them):
  --id ID         event id; may be given several times
  --type TYPE     event type, such as item.created
  --reason REASON ${deadReasons.slice(0, 5).join(", ")},
                  ${deadReasons.slice(5).join(", ")}
  --group KEY     error that groups prints the key of
  --search TEXT   text in the error, stack, body or id, whatever its case
  --all           redrive, discard: all dead letters of the queue

Options:
  --limit N       list: maximum number per page; default 50
  --after N       list: show the next page; each page prints the N of the next one
  --json          print JSON
  --yes           discard: do not ask for confirmation
  --help          print this help

Works whether or not the API and the consumers run. Finds the queues by RABBITMQ_URL, DATABASE_URL and DATA_DIR, as the API
does. Exit codes: 0 done, 1 failed, 2 wrong usage.`;

const options = {
  id: { type: "string", multiple: true },
  type: { type: "string" },
  reason: { type: "string" },
  group: { type: "string" },
  search: { type: "string" },
  all: { type: "boolean" },
  limit: { type: "string" },
  after: { type: "string" },
  json: { type: "boolean" },
  yes: { type: "boolean", short: "y" },
} as const;
type Values = ReturnType<typeof parseWords<typeof options>>["values"];

type Run = (deadLetters: DeadLetters, reached: Reached) => Promise<number>;
/** Checks the arguments of a command before connecting to anything. */
type Prepare = (values: Values, queue: string, rest: readonly string[]) => Run | Promise<Run>;
/** The commands, and the options that each accepts. */
const commands: Record<string, { readonly takes: readonly (keyof Values)[]; readonly prepare: Prepare }> = {
  list: { takes: ["type", "reason", "group", "search", "limit", "after", "json"], prepare: list },
  groups: { takes: ["type", "reason", "search", "json"], prepare: groups },
  show: { takes: ["json"], prepare: show },
  redrive: { takes: ["id", "type", "reason", "group", "search", "all", "json"], prepare: redrive },
  discard: { takes: ["id", "type", "reason", "group", "search", "all", "yes", "json"], prepare: discard },
};

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, options);
  const [name = "", queue, ...rest] = positionals;
  const command = commands[name];
  if (!command) throw new UsageError(name ? `Unknown command "${name}".` : "Missing command: list, groups, show, redrive or discard.");
  for (const option of Object.keys(values) as (keyof Values)[]) {
    if (!command.takes.includes(option)) throw new UsageError(`${name} does not accept --${option}.`);
  }
  if (name !== "show" && rest.length > 0) throw new UsageError(`${name} takes one queue. Unexpected argument "${rest[0]}".`);
  if (name !== "list" && queue === undefined) throw new UsageError(`${name} needs the name of a queue.`);
  const run = queue === undefined ? listQueues(values) : await command.prepare(values, queue, rest);
  return withTransport(async (reached) => {
    const deadLetters = await openDeadLetters(reached);
    return run(deadLetters, reached).catch(async (error: unknown) => {
      if (!(error instanceof UnknownQueue)) throw error;
      const known = (await deadLetters.queues()).map((each) => each.queue).filter((each) => each !== queue);
      throw new Trouble(known.length > 0 ? `${error.message} Known queues: ${known.join(", ")}.` : error.message);
    });
  });
});

function listQueues({ json, ...others }: Values): Run {
  if (Object.keys(others).length > 0) throw new UsageError("Without a queue, list accepts only --json. Usage: dead-letters list QUEUE.");
  return async (deadLetters, { place }) => {
    const queues = await deadLetters.queues();
    const rows = queues.map(({ queue, count }) => [count > 0 ? paint("red", number(count)) : "0", printable(queue)]);
    if (json) console.log(printableJson({ queues }));
    else if (rows.length > 0) console.log(table([{ title: "DEAD", align: "right" }, { title: "QUEUE" }], rows, paint, width));
    else console.log(`No queues found ${place}. A consumer creates its queue when it first runs.`);
    return 0;
  };
}

function list(values: Values, queue: string): Run {
  const limit = wholeNumber("--limit", values.limit ?? "50", 1, 10_000);
  const after = wholeNumber("--after", values.after ?? "0", 0);
  const which = filterWords(values);
  return async (deadLetters) => {
    const page = await deadLetters.list(queue, selectionOf(values), after, limit);
    if (values.json) console.log(printableJson(await shownPage(page)));
    else if (page.deadLetters.length > 0) console.log(listDeadLetters(page.deadLetters, paint, width, Date.now()));
    else console.log(`"${printable(queue)}" has no${after > 0 ? " more" : ""} dead letters${which.length > 0 ? " that match" : ""}.`);
    if (page.next !== null && !values.json) {
      const size = values.limit ? ["--limit", values.limit] : [];
      const again = quoted(["bun", "run", "dead-letters", "list", queue, ...which, ...size, "--after", String(page.next)]);
      console.log(`\n${paint("dim", `Next page: ${again}`)}`);
    }
    return 0;
  };
}

async function shownPage(page: DeadLetterPage): Promise<unknown> {
  const catalogue = await loadCatalogue();
  return { ...page, deadLetters: page.deadLetters.map((letter) => shownDeadLetter(letter, catalogue)) };
}

function groups(values: Values, queue: string): Run {
  return async (deadLetters) => {
    const found = await deadGroupsOf(deadLetters, queue, selectionOf(values));
    if (values.json) console.log(printableJson(found));
    else console.log(groupsText(found, queue, paint, width, Date.now()));
    return 0;
  };
}

function show({ json }: Values, queue: string, ids: readonly string[]): Run {
  const [id, ...more] = ids;
  if (id === undefined || more.length > 0) throw new UsageError("show needs the id of one event.");
  return async (deadLetters) => {
    const { deadLetters: found } = await deadLetters.list(queue, { ids: [id] }, 0, 100);
    if (found.length === 0) throw new Trouble(`"${printable(queue)}" has no dead letter with the id "${printable(id)}".`);
    // An event can become a dead letter more than once.
    if (json) console.log(printableJson(found.length === 1 ? found[0] : found));
    else console.log(found.map((letter) => showDeadLetter(letter, queue, paint, Date.now())).join("\n\n"));
    return 0;
  };
}

function redrive(values: Values, queue: string): Run {
  wordsOf(values, "redrive");
  return (deadLetters) => work(values, queue, "redriven", (watch) => deadLetters.redrive(queue, selectionOf(values), watch));
}

async function discard(values: Values, queue: string): Promise<Run> {
  const which = wordsOf(values, "discard");
  if (!values.yes) {
    if (!process.stdin.isTTY) throw new UsageError("Cannot ask for confirmation without a terminal; use --yes to discard for good.");
    const those = which.length > 0 ? `the dead letters with ${which.join(" ").replaceAll("--", "")}` : "all dead letters";
    if (!(await confirmed(`Discard ${printable(those)} of "${printable(queue)}" for good?`))) throw new Trouble("Nothing was discarded.");
  }
  return (deadLetters) => work(values, queue, "discarded", (watch) => deadLetters.discard(queue, selectionOf(values), watch));
}

/** Returns the filter options; an empty array for all dead letters. Throws a UsageError unless there is either a filter or `--all`. */
function wordsOf(values: Values, name: string): string[] {
  const which = filterWords(values);
  if (values.all && which.length > 0) throw new UsageError("--all cannot be combined with --id, --type, --reason, --group or --search.");
  if (!values.all && which.length === 0)
    throw new UsageError(`Select the dead letters to ${name}: use --id, --type, --reason, --group, --search or --all.`);
  return which;
}

async function work(values: Values, queue: string, done: string, run: (watch: Watch) => Promise<number>): Promise<number> {
  const stopping = new AbortController();
  onInterrupt(() => stopping.abort());
  const progress = new ProgressReport("dead letter");
  const watch: Watch = { onProgress: (looked, of) => progress.update(of > 0 ? looked / of : 1, looked), stop: stopping.signal };
  const count = await run(watch).finally(() => progress.end());
  if (values.json) console.log(printableJson({ [done]: count }));
  else console.log(`${counted(count, "dead letter")} of "${printable(queue)}" ${count === 1 ? "was" : "were"} ${done}.`);
  if (stopping.signal.aborted) {
    tell("Stopped early; the remaining dead letters were not changed.");
    return interrupted;
  }
  const missing = new Set(values.id).size - count;
  if (missing <= 0) return 0;
  tell(`${counted(missing, "dead letter")} that you named ${missing === 1 ? "was" : "were"} not found, or not of this type or reason.`);
  return 1;
}

function selectionOf({ id, type, reason, group, search }: Values): DeadSelection {
  return { ...(id && { ids: id }), type, reason, group, search };
}

function filterWords({ id = [], ...values }: Values): string[] {
  const others = (["type", "reason", "group", "search"] as const).flatMap((name) => (values[name] ? [`--${name}`, values[name]] : []));
  return [...id.flatMap((each) => ["--id", each]), ...others];
}
