// A consumer that may be one of several of a queue. Prints how many events it has handled, and at its end when.
// `QUEUE=audit EFFECTS=once bun bench/programs/share.ts`
import type { ExactlyOnceContext } from "warren/consumer";
import { readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
import { item } from "../../src/domain/item";
import { createLog } from "../../src/observe/logging";
import type { Share } from "../shares";

const { QUEUE: queue = "share", EFFECTS: effects } = process.env;
const moments: Share["moments"][number][] = [];
let handled = 0;
function count(): void {
  handled += 1;
  if (handled % 50 !== 1) return;
  const { user, system } = process.cpuUsage();
  moments.push({ atMs: performance.timeOrigin + performance.now(), handled, cpuMicros: user + system });
}

const common = { queue, events: ["item.*"], prefetch: 512 } as const;
const once = {
  ...common,
  exactlyOnce: true,
  setup: (tx: { run(sql: string): Promise<number> }) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL)"),
  handle: async (event: { id: string }, { tx }: { tx: { run(sql: string, value: string): Promise<number> } }) => {
    await tx.run("INSERT INTO effects VALUES (?)", event.id);
    count();
  },
} as const;
type Acting = Pick<ExactlyOnceContext, "tx" | "change">;
const act = {
  ...once,
  events: ["item.created"],
  handle: async (event: { id: string; item: { id: number } }, { tx, change }: Acting) => {
    await tx.run("INSERT INTO effects VALUES (?)", event.id);
    await change.update(item, event.item.id, ({ price }) => ({ price: (price ?? 0) + 1 }));
    count();
  },
} as const;
const config = readConfig({ isTerminal: false, listens: false });
const log = createLog({ level: "warn", format: "json", stream: 2 });
const consumer = await start();

function start() {
  if (effects === "once") return startConsumer(once, config, log);
  if (effects === "act") return startConsumer(act, config, log);
  return startConsumer({ ...common, handle: count }, config, log);
}

let told = 0;
const telling = setInterval(() => {
  if (handled !== told) console.log(`handled ${handled}`);
  told = handled;
}, 50);
process.once("SIGTERM", async () => {
  clearInterval(telling);
  await consumer.stop();
  const share: Share = { count: handled, moments };
  console.log(JSON.stringify(share));
});
