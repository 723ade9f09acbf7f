// A Warren consumer whose handler changes one record per event: that of the event, or with HOT=1 always the first one. Reports the time it
// took for EVENTS events. `EVENTS=20000 bun bench/programs/act.ts`
import { runConsumer } from "warren/consumer";
import { item } from "../../src/domain/item";
import { startClock } from "../clock";

const count = Number(process.env["EVENTS"]);
const isHot = process.env["HOT"] === "1";
let [begun, handled] = [0, 0];
let clock = startClock();
await runConsumer({
  queue: "acting",
  events: ["item.created"],
  concurrency: 16,
  onReady: () => console.log("ready"),
  async handle({ item: { id } }, { change }) {
    if (begun === 0) clock = startClock();
    begun += 1;
    await change.update(item, isHot ? 1 : id, ({ price }) => ({ price: (price ?? 0) + 1 }));
    // The commit of the last ones follows; the benchmark looks at the log.
    handled += 1;
    if (handled === count) console.log(JSON.stringify(clock(handled)));
  },
});
