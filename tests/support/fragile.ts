// A consumer whose process dies. The test runs this file instead of one in consumers/.
// - FRAGILE_DIES=item: in the handler, for every item called "poison".
// - FRAGILE_DIES=settle: with kill -9, at random, after an effect is committed and before its event is acknowledged.
import { runConsumer } from "warren/consumer";
import { beforeEachAck } from "./dies-before-ack";

const dies = process.env["FRAGILE_DIES"];
const chance = Number(process.env["FRAGILE_CHANCE"] ?? 0);

function perhapsDie(): void {
  if (Math.random() < chance) process.kill(process.pid, "SIGKILL");
}

if (dies === "settle") beforeEachAck(perhapsDie);

await (dies === "settle"
  ? runConsumer<"item.*">({
      queue: "fragile",
      exactlyOnce: true,
      // The same event may be chosen several times.
      maxDeaths: 100,
      setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL, item INTEGER NOT NULL, version INTEGER NOT NULL)"),
      handle: (event, { tx }) => tx.run("INSERT INTO effects VALUES (?, ?, ?)", event.id, event.item.id, event.item.version),
      onReady: () => console.log("ready"),
    })
  : runConsumer<"item.*">({
      queue: "fragile",
      concurrency: 4,
      handle: async (event) => {
        if (event.item.name === "poison") process.exit(9);
        await Bun.sleep(1);
        console.log(`handled ${event.item.id}`);
      },
      onReady: () => console.log("ready"),
    }));
