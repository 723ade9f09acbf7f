import { lossOf, removesStore, whyInUse, whyKept } from "../engine/remove-queue";
import { ago, number } from "../observe/amounts";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { printable, tell } from "../observe/terminal";
import { isServed } from "../store/open";
import { interrupted, onInterrupt, Trouble } from "./command";
import { confirmed } from "./confirmed";
import { convertQueue, isConverted } from "./convert-queue";
import { type ListedQueue, listQueues } from "./known-queues";
import { paint, width } from "./output";
import { backlogCells, backlogColumns } from "./queue-columns";
import { removeOver } from "./remove-queue";
import { table } from "./table";
import { printableJson } from "./text";
import { type Reached, withTransport } from "./transport";

const help = `Lists the queues that Warren knows, removes a queue that is no longer needed, such as one with a typo in its name, and converts
a classic queue of RabbitMQ to a quorum queue.

  bun run queues list             every queue, with its events and its consumers
  bun run queues remove QUEUE     removes a consumer's own queue, its bindings, retries and dead letters
  bun run queues convert QUEUE    makes quorum queues of a classic queue and its dead letters, with all that is in them

Options:
  --force   remove: even if unfinished events or the consumer's own data in its file are lost.
            On RabbitMQ, even while consumers run; they create the queue again unless you stop them
  --yes     remove, convert: do not ask for confirmation
  --json    print JSON
  --help    print this help

The queue of a resource cannot be removed, because the API creates it at each start. Events stay in the log, from which a new
consumer gets them. ANNOUNCED is when a consumer last asked for the queue; without RabbitMQ, when its file last changed.

To convert a queue, set QUEUE_TYPE=quorum for the API, the consumers and this command, restart the API, and stop the consumers of
the queue. The API moves the events, and sends none while it replaces the queue. If it is interrupted, it continues at its next start.

list and remove work whether or not the API runs. Finds the queues by RABBITMQ_URL, DATABASE_URL and DATA_DIR, as the API does.
Exit codes: 0 done, 1 failed, 2 wrong usage.`;

const options = { force: { type: "boolean" }, yes: { type: "boolean", short: "y" }, json: { type: "boolean" } } as const;
type Values = ReturnType<typeof parseWords<typeof options>>["values"];

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, options);
  const [name = "", queue, ...rest] = positionals;
  if (name === "list") {
    if (queue !== undefined) throw new UsageError(`Unexpected argument "${queue}".`);
    for (const option of ["force", "yes"] as const) if (values[option]) throw new UsageError(`list does not accept --${option}.`);
    return withTransport((reached) => list(reached, values));
  }
  if (name !== "remove" && name !== "convert")
    throw new UsageError(name ? `Unknown command "${name}".` : "Missing command: list, remove or convert.");
  if (queue === undefined) throw new UsageError(`${name} needs the name of a queue.`);
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".`);
  if (name === "convert" && values.force) throw new UsageError("convert does not accept --force.");
  return withTransport((reached) => (name === "remove" ? remove : convert)(reached, queue, values));
});

async function list(reached: Reached, { json }: Values): Promise<number> {
  const queues = await listQueues(reached);
  const columns = [...backlogColumns, { title: "CONSUMERS", align: "right" as const }, { title: "ANNOUNCED" }, { title: "QUEUE" }];
  const now = Date.now();
  const rows = queues.map(({ queue, kind, exists, consumers, announcedAt, ...backlog }) => [
    ...backlogCells(backlog, paint),
    number(consumers),
    ago(announcedAt, now) || "–",
    printable(queue) + (kind === "shared" ? paint("dim", " (of a resource)") : exists ? "" : paint("dim", " (missing)")),
  ]);
  if (json) console.log(printableJson({ queues }));
  else if (rows.length > 0) console.log(table(columns, rows, paint, width));
  else console.log(`No queues found ${reached.place}. A consumer creates its queue when it first runs.`);
  return 0;
}

async function known(reached: Reached, name: string): Promise<ListedQueue> {
  const queues = await listQueues(reached);
  const queue = queues.find((each) => each.queue === name);
  if (queue) return queue;
  throw new Trouble(`There is no queue "${printable(name)}". Known queues: ${queues.map((each) => each.queue).join(", ") || "none"}.`);
}

async function convert(reached: Reached, name: string, { yes, json }: Values): Promise<number> {
  const { broker, config } = reached;
  if (!broker) throw new Trouble("Without RabbitMQ, queues have no type.");
  const queue = await known(reached, name);
  if (broker.queueType !== "quorum")
    throw new Trouble("Set QUEUE_TYPE=quorum for the API, the consumers and this command, and restart the API.");
  const done = (isNew: boolean) => {
    if (json) console.log(printableJson({ queue: name, converted: isNew }));
    else console.log(`"${name}" ${isNew ? "was converted to a quorum queue. Start its consumers." : "is a quorum queue already."}`);
    return 0;
  };
  if (await isConverted(broker, name)) return done(false);
  refuseConsumers(queue);
  if (!(await isServed(config))) throw new Trouble("The API is not running, which converts queues. Start it with QUEUE_TYPE=quorum.");
  if (!yes) {
    if (!process.stdin.isTTY) throw new UsageError("Cannot ask for confirmation without a terminal; use --yes to convert the queue.");
    const question = `A consumer that is paused because its handler fails too often is not counted. Have you stopped every consumer of "${name}"?`;
    if (!(await confirmed(question))) throw new Trouble("Nothing was changed.");
  }
  const stopping = new AbortController();
  onInterrupt(() => stopping.abort());
  return (await convertQueue(reached, broker, name, stopping.signal)) ? done(true) : interrupted;
}

function refuseConsumers(queue: ListedQueue): void {
  const why = whyInUse(queue);
  if (why) throw new Trouble(why);
}

async function remove(reached: Reached, name: string, { force, yes, json }: Values): Promise<number> {
  const queue = await known(reached, name);
  // Without RabbitMQ, the consumer has its file open.
  const why = whyKept(reached, force && reached.broker ? { ...queue, consumers: 0 } : queue);
  if (why) throw new Trouble(why);
  const lost = await lossOf(reached, queue);
  if (lost && !force) throw new Trouble(`"${name}" has ${lost}, which would be lost. To remove it anyway, use --force.`);
  if (!yes) {
    if (!process.stdin.isTTY) throw new UsageError("Cannot ask for confirmation without a terminal; use --yes to remove it for good.");
    if (!(await confirmed(`Remove "${name}"${lost ? `, with ${lost},` : ""} for good?`))) throw new Trouble("Nothing was removed.");
  }
  await removeOver(reached, queue);
  if (!removesStore(reached, queue) && reached.consumers.isShared) tell(`${reached.consumers.shownOf(name)} stays, since consumers run.`);
  const { messages, retries, deadLetters } = queue;
  if (json) console.log(printableJson({ removed: name, messages, retries, deadLetters }));
  else console.log(`"${name}" was removed${lost ? `, with ${lost}` : ""}.`);
  return 0;
}
