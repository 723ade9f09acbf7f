// A process that consumes the events of depots, which tests/support/shared-queue.ts starts.
// - EFFECTS=once: its effects are rows of its queue, exactly once. Otherwise they are lines of the file RECORD, in the order of all processes.
// - EVENTS: the types of events that it handles, separated by commas. Default: all.
// - HANDLING_MS: how long a handler takes.
// - HANDLER_TIMEOUT_MS: how long it may take, and any statement for it. Default: 30 s.
import { openSync, writeSync } from "node:fs";
import { runConsumer } from "warren/consumer";
import type { EventPattern } from "../../src/delivery/consumed-events";
import { provideResources } from "../../src/project/resources";
import { depot } from "./parcels";
import { depotQueue, effectOf } from "./shared-queue";

provideResources({ depot });

const { EFFECTS: effects, EVENTS: events, RECORD: record = "", HANDLING_MS: handlingMs, HANDLER_TIMEOUT_MS: timeoutMs } = process.env;
const types = events?.split(",") as EventPattern[] | undefined;
const common = {
  queue: depotQueue,
  events: types,
  onReady: () => console.log("ready"),
  ...(timeoutMs && { handlerTimeoutMs: Number(timeoutMs) }),
};
const work = () => (handlingMs ? Bun.sleep(Number(handlingMs)) : undefined);

if (effects === "once")
  await runConsumer({
    ...common,
    exactlyOnce: true,
    setup: (tx) =>
      tx.run(
        "CREATE TABLE IF NOT EXISTS effects (number BIGINT GENERATED ALWAYS AS IDENTITY, event TEXT, depot BIGINT, version BIGINT, process BIGINT)",
      ),
    handle: async (event, { tx }) => {
      const { id, depot, version } = effectOf(event);
      await tx.run("INSERT INTO effects (event, depot, version, process) VALUES (?, ?, ?, ?)", id, depot, version, process.pid);
      await work();
    },
  });
else {
  const file = openSync(record, "a");
  await runConsumer({
    ...common,
    handle: async (event) => {
      const { id, depot, version } = effectOf(event);
      await work();
      // At once and as a whole, so that it exists even if the process is killed right after.
      writeSync(file, `${JSON.stringify({ event: id, depot, version, process: process.pid })}\n`);
    },
  });
}
