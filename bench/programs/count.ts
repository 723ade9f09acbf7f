// A Warren consumer with a trivial handler. Reports the time it took for EVENTS events. `EVENTS=200000 bun bench/programs/count.ts`
import { runConsumer } from "warren/consumer";
import { startClock } from "../clock";

const count = Number(process.env["EVENTS"]);
let handled = 0;
let clock = startClock();
await runConsumer({
  queue: "item_events",
  prefetch: 512,
  handle: () => {
    if (handled === 0) clock = startClock();
    handled += 1;
    if (handled === count) console.log(JSON.stringify(clock(handled)));
  },
});
