// Handles COUNT events with `exactlyOnce` and one INSERT each, SIZE of them in a transaction. With DURABLE=1, each commit survives a power cut.
// The store is that of DATABASE_URL. `COUNT=20000 SIZE=128 bun bench/programs/groups.ts`
import type { ConsumerOptions } from "warren/consumer";
import { buildEvent } from "warren/testing";
import { readConfig } from "../../src/config/config";
import { resolveConsumer } from "../../src/delivery/consumer-options";
import type { Task } from "../../src/delivery/delivery";
import { handleExactlyOnce } from "../../src/delivery/exactly-once";
import { createLog } from "../../src/observe/logging";
import { loadCatalogue } from "../../src/project/resources";
import { parseEvent } from "../../src/schema/event";
import { consumerStores } from "../../src/store/open";
import { startClock } from "../clock";

const queue = "groups";
const [count, size, warmUp] = [Number(process.env["COUNT"]), Number(process.env["SIZE"]), 500];
const catalogue = await loadCatalogue();
const stores = consumerStores(readConfig({ isTerminal: false, listens: false }));
const store = await stores.open(queue, { durable: process.env["DURABLE"] === "1" });
await store.setUp(async (tx) => void (await tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL)")));
const options: ConsumerOptions = {
  queue,
  exactlyOnce: true,
  handle: async (event, { tx }) => void (await tx.run("INSERT INTO effects VALUES (?)", event.id)),
};
const consumer = resolveConsumer(options, catalogue, createLog({ level: "warn", format: "json", stream: 2 }), () => {});
const around = { consumer, store: async () => store, mayGoOn: () => true, isStopping: () => false, beforeCommit: async () => () => {} };
const delivery = {
  body: "",
  failures: 0,
  suspect: false,
  replay: "no",
  origin: {},
  gone: false,
  settle() {},
} as unknown as Task["delivery"];
const tasks = Array.from({ length: warmUp + count }, (): Task => {
  const read = parseEvent(JSON.stringify({ ...buildEvent("item.created"), id: Bun.randomUUIDv7() }), catalogue);
  if (!read.ok) throw new Error(read.detail);
  return { event: read.event, key: "", delivery };
});

await handle(tasks.splice(0, warmUp));
const clock = startClock();
const done = await handle(tasks);
console.log(JSON.stringify(clock(done)));
await store.close();
await stores.close();

/** Resolves with the number of events that were handled. */
async function handle(some: readonly Task[]): Promise<number> {
  let handled = 0;
  while (handled < some.length) {
    const results = await handleExactlyOnce(around, some.slice(handled, handled + size));
    if (results.length === 0 || results.some(({ kind }) => kind !== "handled")) break;
    handled += results.length;
  }
  return handled;
}
