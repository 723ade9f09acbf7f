// A consumer whose work can be read after it was killed. Run it with --role NAME.
// CRASH_AFTER=n: dies with kill -9 before its n-th acknowledgement, after the effect.
import { existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { type AnyEvent, readFlags, runConsumer } from "warren/consumer";
import { beforeEachAck } from "../../support/dies-before-ack";
import { type Role, roles } from "../roles";
import { atCrashPoint } from "./crash";

const flags = readFlags("A consumer of a chaos run.", { role: { type: "string", default: "" } });
const role = roles[flags.role as Role];
const { queue, exactlyOnce, concurrency, kinds } = role;

beforeEachAck(atCrashPoint);

const kindOf = (event: AnyEvent) => event.type.slice("item.".length);
const common = {
  queue,
  // The shared queue always gets all events.
  events: kinds.length === 3 ? undefined : kinds.map((kind) => `item.${kind}` as const),
  // The same event may be chosen several times.
  maxDeaths: 1000,
  onReady: () => console.log("ready"),
};

if (exactlyOnce) {
  await runConsumer(
    {
      ...common,
      exactlyOnce,
      setup: (tx) =>
        tx.run(
          "CREATE TABLE IF NOT EXISTS effects (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, kind TEXT, item INTEGER, version INTEGER)",
        ),
      handle: (event, { tx }) =>
        tx.run(
          "INSERT INTO effects (id, kind, item, version) VALUES (?, ?, ?, ?)",
          event.id,
          kindOf(event),
          event.item.id,
          event.item.version,
        ),
    },
    flags,
  );
} else {
  const recordFile = process.env["RECORD_FILE"] as string;
  const record = openSync(recordFile, "a");
  /** File with the delay of the next event, if there is one. */
  const slowness = `${recordFile}.slow`;
  await runConsumer(
    {
      ...common,
      concurrency,
      handle: async (event) => {
        if (existsSync(slowness)) {
          const ms = Number(readFileSync(slowness, "utf8"));
          rmSync(slowness);
          await Bun.sleep(ms);
        }
        await new Promise(setImmediate);
        // Write synchronously, so that the record exists even if the process is killed right after.
        writeSync(record, `${event.id} ${kindOf(event)} ${event.item.id} ${event.item.version}\n`);
      },
    },
    flags,
  );
}
