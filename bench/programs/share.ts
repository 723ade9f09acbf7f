// A consumer that may be one of several of a queue. Prints how many events it has handled, and at its end when.
// `QUEUE=audit EFFECTS=once bun bench/programs/share.ts`
import { readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
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
const config = readConfig({ isTerminal: false, listens: false });
const log = createLog({ level: "warn", format: "json", stream: 2 });
const consumer = await (effects === "once" ? startConsumer(once, config, log) : startConsumer({ ...common, handle: count }, config, log));

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
