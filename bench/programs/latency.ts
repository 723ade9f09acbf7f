// Measures the time from the response to a POST to the handler's call, one request at a time, against a running API. `API=http://…
// COUNT=100 bun bench/programs/latency.ts`
import { readConfig } from "../../src/config/config";
import { startConsumer } from "../../src/consumer/start";
import { createLog } from "../../src/observe/logging";
import { sampleItem } from "../sample-events";

const called = new Map<number, PromiseWithResolvers<number>>();
function callOf(id: number): PromiseWithResolvers<number> {
  const call = called.get(id) ?? Promise.withResolvers<number>();
  called.set(id, call);
  return call;
}

const ready = Promise.withResolvers<void>();
const consumer = await startConsumer(
  {
    queue: "item_events",
    // Set explicitly, so that the type of the event does not change with the resources of a project.
    events: ["item.*"],
    handle: ({ item }) => callOf(item.id).resolve(performance.now()),
    onReady: () => ready.resolve(),
  },
  readConfig({ isTerminal: false }),
  createLog({ level: "warn", format: "json", stream: 2 }),
);
await ready.promise;

const request = { method: "POST", body: JSON.stringify(sampleItem), headers: { "content-type": "application/json" } };
const delaysMs: number[] = [];
for (let n = 0; n < Number(process.env["COUNT"]); n += 1) {
  const answer = await fetch(`${process.env["API"]}/items`, request);
  const answered = performance.now();
  const { id } = (await answer.json()) as { id: number };
  // Negative if the handler is called before the response has arrived.
  delaysMs.push((await callOf(id).promise) - answered);
  called.delete(id);
  await Bun.sleep(10);
}
console.log(JSON.stringify({ delaysMs }));
await consumer.stop();
