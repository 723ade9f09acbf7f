import { parseWords, UsageError } from "../observe/command-line";
import { printable } from "../observe/terminal";
import { runCommand, Trouble } from "./command";
import { confirmed } from "./confirmed";
import { type ListedQueue, listQueues } from "./known-queues";
import { paint, width } from "./output";
import { ownDataOf, removeFile, removeFromRabbitmq } from "./remove-queue";
import { table } from "./table";
import { ago, counted, number, printableJson } from "./text";
import { type Reached, withTransport } from "./transport";

const help = `Shows the queues that Warren knows, and removes one that nobody wants any more, such as one with a typo in its name.

  bun run queues list             every queue, with what it holds and who works on it
  bun run queues remove QUEUE     removes a consumer's own queue, its bindings, retries and dead letters

Options:
  --force   remove: although events in it are not finished, or its consumer keeps data of its own in its file; they are lost.
            On RabbitMQ also while consumers work on it, which make it again unless you stop them
  --yes     remove: do not ask
  --json    print JSON
  --help    this text

The queue of a resource is not removed, as
the API makes it at each start. Events stay in the log: a new consumer gets them from there. ANNOUNCED is when a consumer has
asked for the queue last; without RabbitMQ, when its file was changed last.

Works whether or not the API runs. RABBITMQ_URL, DATABASE_URL and DATA_DIR say where the queues are, as for the API.
Exit codes: 0 done, 1 something went wrong, 2 wrong usage.`;

const options = { force: { type: "boolean" }, yes: { type: "boolean", short: "y" }, json: { type: "boolean" } } as const;
type Values = ReturnType<typeof parseWords<typeof options>>["values"];

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, options);
  const [name = "", queue, ...rest] = positionals;
  if (name === "list") {
    if (queue !== undefined) throw new UsageError(`Unexpected argument "${queue}".`);
    for (const option of ["force", "yes"] as const) if (values[option]) throw new UsageError(`list takes no --${option}.`);
    return withTransport((reached) => list(reached, values));
  }
  if (name !== "remove") throw new UsageError(name ? `"${name}" is not a command.` : "Say what to do with queues: list or remove.");
  if (queue === undefined) throw new UsageError("remove needs the name of a queue.");
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".`);
  return withTransport((reached) => remove(reached, queue, values));
});

async function list(reached: Reached, { json }: Values): Promise<number> {
  const queues = await listQueues(reached);
  const right = { align: "right" } as const;
  const columns = [
    { title: "WAITING", ...right },
    { title: "RETRIES", ...right },
    { title: "DEAD", ...right },
    { title: "CONSUMERS", ...right },
    { title: "ANNOUNCED" },
    { title: "QUEUE" },
  ];
  const now = Date.now();
  const rows = queues.map(({ queue, kind, exists, messages, retries, deadLetters, consumers, announcedAt }) => [
    messages === null ? "–" : number(messages),
    number(retries),
    deadLetters > 0 ? paint("red", number(deadLetters)) : "0",
    number(consumers),
    ago(announcedAt, now) || "–",
    printable(queue) + (kind === "shared" ? paint("dim", " (of a resource)") : exists ? "" : paint("dim", " (is gone)")),
  ]);
  if (json) console.log(printableJson({ queues }));
  else if (rows.length > 0) console.log(table(columns, rows, paint, width));
  else console.log(`No queue is known ${reached.place}. A consumer makes its queue when it runs for the first time.`);
  return 0;
}

async function remove(reached: Reached, name: string, { force, yes, json }: Values): Promise<number> {
  const queues = await listQueues(reached);
  const queue = queues.find((known) => known.queue === name);
  if (!queue)
    throw new Trouble(`Warren knows no queue "${printable(name)}". Known: ${queues.map((known) => known.queue).join(", ") || "none"}.`);
  if (queue.kind === "shared" && reached.broker) throw new Trouble(`"${name}" is the queue of a resource: the API makes it at each start.`);
  // Without RabbitMQ, the consumer has its file open.
  if (queue.consumers > 0 && !(force && reached.broker)) {
    throw new Trouble(
      `${counted(queue.consumers, "consumer")} of "${name}" ${queue.consumers === 1 ? "works" : "work"} on it: stop ${queue.consumers === 1 ? "it" : "them"} first.`,
    );
  }
  const lost = lossOf(reached, queue);
  if (lost && !force) throw new Trouble(`"${name}" has ${lost}. To remove it, and lose that, say --force.`);
  if (!yes) {
    if (!process.stdin.isTTY) throw new UsageError("Nobody can be asked whether to remove it for good: say --yes.");
    if (!(await confirmed(`Remove "${name}"${lost ? `, with ${lost},` : ""} for good?`))) throw new Trouble("Nothing was removed.");
  }
  if (reached.broker) await removeFromRabbitmq(reached, reached.broker, name);
  else removeFile(reached.folder, name);
  const { messages, retries, deadLetters } = queue;
  if (json) console.log(printableJson({ removed: name, messages, retries, deadLetters }));
  else console.log(`"${name}" was removed${lost ? `, with ${lost}` : ""}.`);
  return 0;
}

/** Describes the data that removing the queue would delete. Returns undefined if there is none. */
function lossOf({ broker, folder }: Reached, { queue, messages, retries, deadLetters }: ListedQueue): string | undefined {
  const losses = [
    messages ? `${counted(messages, "event")} that ${messages === 1 ? "waits" : "wait"}` : undefined,
    retries > 0 ? counted(retries, "retry").replace(/retrys$/, "retries") : undefined,
    deadLetters > 0 ? counted(deadLetters, "dead letter") : undefined,
    broker ? undefined : ownDataOf(folder, queue),
  ].filter((loss) => loss !== undefined);
  return losses.length > 1 ? `${losses.slice(0, -1).join(", ")} and ${losses.at(-1)}` : losses[0];
}
