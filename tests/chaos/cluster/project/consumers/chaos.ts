// A consumer whose work can be read after it was killed: --queue NAME, and --once for effects exactly once.
import { openSync, writeSync } from "node:fs";
import { readFlags, runConsumer } from "warren/consumer";

const flags = readFlags("A consumer of a chaos run.", {
  queue: { type: "string", default: "" },
  once: { type: "boolean", default: false },
});

const common = {
  queue: flags.queue,
  // The same event may be chosen several times.
  maxDeaths: 1000,
  onReady: () => console.log("ready"),
} as const;

interface Event {
  readonly id: string;
  readonly type: string;
  readonly account?: { readonly id: number; readonly version: number };
  readonly transfer?: { readonly id: number; readonly version: number };
}

/** Returns what identifies an event, and when and by whom it is handled: in milliseconds since 1970, for the order of all processes. */
function fieldsOf({ id, type, account, transfer }: Event, attempt: number) {
  const record = account ?? transfer;
  return [id, type, record?.id ?? 0, record?.version ?? 0, performance.timeOrigin + performance.now(), process.pid, attempt] as const;
}

if (flags.once) {
  await runConsumer(
    {
      ...common,
      exactlyOnce: true,
      setup: (tx) =>
        tx.run(
          `CREATE TABLE IF NOT EXISTS effects
             (id TEXT, type TEXT, subject INTEGER, version INTEGER, at DOUBLE PRECISION, pid INTEGER, attempt INTEGER)`,
        ),
      handle: async (event, { tx, attempt }) => {
        await tx.run("INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, ?)", ...fieldsOf(event as unknown as Event, attempt));
      },
    },
    flags,
  );
} else {
  const record = openSync(process.env["RECORD_FILE"] as string, "a");
  await runConsumer(
    {
      ...common,
      concurrency: 4,
      handle: async (event, { attempt }) => {
        await new Promise(setImmediate);
        // Write synchronously, so that the record exists even if the process is killed right after.
        writeSync(record, `${fieldsOf(event as unknown as Event, attempt).join(" ")}\n`);
      },
    },
    flags,
  );
}
