import type { DeadLetters } from "../delivery/dead-letters";
import { withStore } from "../embedded/queue-store";
import { counted } from "../observe/amounts";
import { parseWords, runCommand, UsageError } from "../observe/command-line";
import { printable, tell } from "../observe/terminal";
import { loadCatalogue } from "../project/resources";
import { quarantineFolder, removeQuarantined } from "../rabbitmq/quarantine";
import { RefusedChange } from "../schema/refused-change";
import type { ConsumerStores } from "../store/consumer/stores";
import { type ErasedRecord, type Erasure, isAbout } from "../store/erasure";
import { isLockedByApi, isServed, openStore, scrubDatabase } from "../store/open";
import type { Store } from "../store/store";
import { allDeadLetters } from "./all-dead-letters";
import { Trouble } from "./command";
import { namedResource } from "./known-resource";
import { openDeadLetters, type Reached, withTransport } from "./transport";

const help = `Takes all data of one record out of the service, such as that of a customer who asks for it.

  bun run erase customer 42          only shows what it would erase
  bun run erase customer 42 --yes    erases it, for good

Options:
  --yes     erase it
  --help    print this help

Erases the record, and those that are deleted with it as references say; their events in the log, whose positions stay; their
history; stored answers to requests; dead letters, events that wait for a retry, and quarantined messages. Publishes
customer.erased, with nothing but the id, and lists the consumers and webhooks that had the data: each has to delete what it
keeps itself. Events that wait in queues of RabbitMQ are still delivered. Backups and logs are not changed.

Stop the API and the consumers on this machine first. Finds everything by RABBITMQ_URL, DATABASE_URL and DATA_DIR, as the API does.
Exit codes: 0 done, 1 failed or nothing found, 2 wrong usage.`;

/** Returns whether an event has data to erase. `body` is its JSON. */
type IsChosen = Parameters<ConsumerStores["erase"]>[1];

/** Number of dead letters to read at a time. */
const batch = 500;

await runCommand(help, async (words) => {
  const { values, positionals } = parseWords(words, { yes: { type: "boolean", short: "y" } });
  const [, id = ""] = positionals;
  const resource = await namedResource(positionals.toSpliced(1, 1));
  if (!/^[1-9][0-9]{0,14}$/.test(id))
    throw new UsageError(id ? `"${id}" is not the id of a ${resource.name}.` : "Missing the id of the record.");
  return withTransport((reached) => erase(reached, { resource, id: Number(id) }, !values.yes));
});

async function erase(reached: Reached, root: ErasedRecord, isDryRun: boolean): Promise<number> {
  const { config } = reached;
  if (await isLockedByApi(config)) throw new Trouble(`The API is running on ${config.database.shown}: stop it first.`);
  const running = await runningConsumers(reached);
  if (running.length > 0 && !isDryRun) throw new Trouble(`Consumers are running: stop ${running.join(", ")} first.`);
  const store = await openStore(config, (await loadCatalogue()).resources);
  let found: string[];
  let published: boolean;
  try {
    const planned = await eraseInStore(store, root, true);
    const erasure = planned ?? { records: [root], events: [] };
    // The store comes last. If this is interrupted before, the next run still knows the ids of the events.
    const outside = await eraseOutside(reached, erasure, isDryRun);
    found = [...foundIn(planned), ...outside];
    if (found.length === 0) throw new Trouble(`There is no data of ${nameOf(root)}.`);
    if (!isDryRun) await eraseInStore(store, root, false);
    published = planned !== undefined;
    console.log(`${isDryRun ? "Would erase" : "Erased"} ${erasure.records.map(nameOf).reverse().join(", ")}: ${found.join(", ")}.`);
    await showHolders(reached, erasure, store);
  } finally {
    await store.close();
  }
  if (isDryRun) {
    tell("Nothing was erased. To erase it for good, add --yes.");
    return 0;
  }
  if (!(await scrubDatabase(config)))
    tell(
      "The space of what was erased is not free yet, since the role in DATABASE_URL may not do that. As the owner of the tables, run: VACUUM",
    );
  if (published && !(await isServed(config))) console.log(`${root.resource.name}.erased is published when the API runs again.`);
  return 0;
}

function nameOf({ resource, id }: ErasedRecord): string {
  return `${resource.name} ${id}`;
}

async function eraseInStore(store: Store, { resource, id }: ErasedRecord, isDryRun: boolean): Promise<Erasure | undefined> {
  try {
    return await store.erase(resource, id, { isDryRun });
  } catch (error) {
    throw error instanceof RefusedChange ? new Trouble(error.message) : error;
  }
}

function foundIn(planned: Erasure | undefined): string[] {
  return planned ? [counted(planned.records.length, "record"), `${counted(planned.events.length, "event")} in the log`] : [];
}

async function runningConsumers({ consumers }: Reached): Promise<string[]> {
  const running: string[] = [];
  for (const queue of await consumers.queues()) if ((await consumers.consuming(queue)) > 0) running.push(`"${printable(queue)}"`);
  return running;
}

/** Erases what is kept outside of the store. Resolves with the findings, as words. */
async function eraseOutside(reached: Reached, { records, events }: Erasure, isDryRun: boolean): Promise<string[]> {
  const ids = new Set(events);
  const isChosen: IsChosen = ({ id, body }) => ids.has(id) || isAbout(records, body);
  let [kept, dead] = [0, 0];
  for (const queue of await reached.consumers.queues()) {
    kept += await reached.consumers.erase(queue, isChosen, { isDryRun });
  }
  if (reached.broker) dead = await eraseDeadLetters(await openDeadLetters(reached), isChosen, isDryRun);
  const isQuarantined = (text: string) => {
    const { body = "" } = JSON.parse(text) as { body?: string };
    return isAbout(records, body) || isAbout(records, Buffer.from(body, "base64").toString());
  };
  const quarantined = removeQuarantined(quarantineFolder(reached.config.dataDir), isQuarantined, isDryRun);
  return [
    ...(kept > 0 ? [`${counted(kept, "failed event")} of consumers`] : []),
    ...(dead > 0 ? [`${counted(dead, "dead letter")} on RabbitMQ`] : []),
    ...(quarantined > 0 ? [counted(quarantined, "quarantined message")] : []),
  ];
}

async function eraseDeadLetters(deadLetters: DeadLetters, isChosen: IsChosen, isDryRun: boolean): Promise<number> {
  let count = 0;
  for (const { queue } of await deadLetters.queues()) {
    const chosen: string[] = [];
    for await (const { id, body, bodyEncoding } of allDeadLetters(deadLetters, queue, batch)) {
      if (isChosen({ id, body: bodyEncoding === "json" ? JSON.stringify(body) : String(body) })) chosen.push(id);
    }
    count += chosen.length;
    if (chosen.length > 0 && !isDryRun) await deadLetters.discard(queue, { ids: chosen });
  }
  return count;
}

/** Lists the consumers and webhooks that read events of the records. */
async function showHolders({ consumers }: Reached, { records }: Erasure, store: Store): Promise<void> {
  const types = new Set<string>(records.flatMap(({ resource }) => resource.eventTypes));
  const shared = new Map(records.map(({ resource }) => [resource.queue, resource.eventTypes] as const));
  const holders = new Map<string, string>();
  for (const { queue, types: own } of await store.subscriptions.list()) {
    if (own.some((type) => types.has(type))) holders.set(queue, "");
  }
  for (const queue of await consumers.queues()) {
    const followed = await withStore(consumers, queue, (own) => own.followedTypes(store.logId));
    const read: readonly string[] | undefined = followed ?? shared.get(queue);
    if (!read?.some((type) => types.has(type)) && !holders.has(queue)) continue;
    const tables = await consumers.ownTables(queue);
    holders.set(queue, tables.length > 0 ? ` (tables of its own: ${tables.join(", ")})` : "");
  }
  if (holders.size === 0) return console.log("No consumer of its own queue reads its events.");
  console.log("These consumers and webhooks read its events. Each has to delete what it keeps itself:");
  for (const [queue, kept] of [...holders].sort()) console.log(`  ${printable(queue)}${kept}`);
}
