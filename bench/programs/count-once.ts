// As count.ts, with an effect for each event that is in its file exactly once. `EVENTS=200000 bun bench/programs/count-once.ts`
import { runConsumer } from "warren/consumer";
import { startClock } from "../clock";

const count = Number(process.env["EVENTS"]);
let handled = 0;
let clock = startClock();
await runConsumer({
  queue: "item_events",
  exactlyOnce: true,
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL) STRICT"),
  handle: (event, { tx }) => {
    if (handled === 0) clock = startClock();
    tx.run("INSERT INTO effects VALUES (?)", event.id);
    handled += 1;
    // After the commit of its group, which the handler is within.
    if (handled === count) setImmediate(() => console.log(JSON.stringify(clock(handled))));
  },
});
