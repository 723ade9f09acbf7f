// Same as count.ts, with one exactly-once effect per event in the consumer's file. `EVENTS=200000 bun bench/programs/count-once.ts`
import { runConsumer } from "warren/consumer";
import { startClock } from "../clock";

const count = Number(process.env["EVENTS"]);
let handled = 0;
let clock = startClock();
await runConsumer({
  queue: "item_events",
  exactlyOnce: true,
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL)"),
  handle: async (event, { tx }) => {
    if (handled === 0) clock = startClock();
    await tx.run("INSERT INTO effects VALUES (?)", event.id);
    handled += 1;
    // Print after the commit of the group, which includes this handler call.
    if (handled === count) setImmediate(() => console.log(JSON.stringify(clock(handled))));
  },
});
