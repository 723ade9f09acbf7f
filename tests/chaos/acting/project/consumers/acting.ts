// A consumer whose handlers change records: --queue NAME, --once for effects exactly once in a table of its own, too, and --ticks for one
// that is called each minute.
import { type ConsumerOptions, type ExactlyOnceContext, type HandlerContext, readFlags, runConsumer } from "warren/consumer";
import { order } from "../src/domain/order";
import { pot } from "../src/domain/pot";

interface Happened {
  readonly id: string;
  readonly type: string;
  readonly order: { readonly id: number; readonly pot: number; readonly amount: number };
}

const flags = readFlags("A consumer of a chaos run that changes records.", {
  queue: { type: "string", default: "" },
  once: { type: "boolean", default: false },
  ticks: { type: "boolean", default: false },
});

const common = {
  queue: flags.queue,
  // The same event may be chosen several times, and others may change the same pot again and again.
  maxDeaths: 1000,
  retry: { attempts: 1000, firstDelayMs: 20, factor: 2, longestDelayMs: 200 },
  onReady: () => console.log("ready"),
} as const;

async function book({ id, type, order: { id: number, pot: into, amount } }: Happened, { change }: HandlerContext): Promise<void> {
  const { balance, reminded } = await change.read(pot, into);
  if (type === "order.reminded") {
    await change.update(pot, into, { reminded: reminded + 1 });
    return;
  }
  await change.update(pot, into, { balance: balance + amount });
  // Its client may have deleted it.
  if (!(await change.get(order, number))) return;
  const [tag, key, after] = [`booked:${id}`, `remind:${number}`, amount * 20];
  await change.update(order, number, { state: "booked", note: `set ${tag} ${key} after ${after}` });
  await change.later(order, number, "reminded", { after, key, data: { tag } });
}

async function count({ id, order: { pot: into, amount } }: Happened, { change, tx }: ExactlyOnceContext): Promise<void> {
  const { counted } = await change.read(pot, into);
  await change.update(pot, into, { counted: counted + amount });
  await tx.run("INSERT INTO effects (id, counted) VALUES (?, ?)", id, counted + amount);
}

async function tick(_: unknown, { change }: HandlerContext): Promise<void> {
  const { ticked } = await change.read(pot, 1);
  await change.update(pot, 1, { ticked: ticked + 1 });
}

const options = flags.ticks
  ? { ...common, schedule: "* * * * *", handle: tick }
  : flags.once
    ? {
        ...common,
        events: ["order.created"],
        exactlyOnce: true,
        setup: (tx: ExactlyOnceContext["tx"]) => tx.run("CREATE TABLE IF NOT EXISTS effects (id TEXT, counted BIGINT)"),
        handle: count,
      }
    : { ...common, events: ["order.created", "order.reminded"], concurrency: 4, handle: book };
await runConsumer(options as unknown as ConsumerOptions, flags);
