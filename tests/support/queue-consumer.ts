// A consumer that fails on request, and prints each event that reaches its handler as a line of JSON.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type Running, run } from "./processes";
import { projectWith } from "./project";

const source = `import { readFileSync } from "node:fs";
import { readFlags, Reject, runConsumer } from "warren/consumer";

const flags = readFlags("", { options: { type: "string", default: "" } });
const { queue, events, startFrom, exactlyOnce, trouble, waitMs } = JSON.parse(flags.options);
function how(event) {
  try {
    return JSON.parse(readFileSync(trouble, "utf8"))[event.item.name];
  } catch {
    return undefined;
  }
}
function warehouse(event, { attempt, replay }) {
  // Before the line is printed: a test that has seen it may end the trouble.
  const trouble = how(event);
  console.log(JSON.stringify({ id: event.id, type: event.type, item: event.item.id, version: event.item.version, attempt, replay }));
  if (trouble === "reject") throw new Reject("no such shelf");
  if (trouble === "fail" || (trouble === "once" && attempt === 1)) throw new TypeError("the warehouse does not answer");
}
await runConsumer({
  queue,
  events,
  ...(startFrom && { startFrom: /^\\d/.test(startFrom) ? new Date(startFrom) : startFrom }),
  exactlyOnce,
  ...(exactlyOnce && { setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS effects (item INTEGER, version INTEGER)") }),
  retry: { attempts: 2, firstDelayMs: 40, longestDelayMs: 40 },
  breaker: { minimum: 1_000_000 },
  handle: exactlyOnce
    ? async (event, context) => {
        warehouse(event, context);
        await context.tx.run("INSERT INTO effects VALUES (?, ?)", event.item.id, event.item.version);
      }
    : async (event, context) => {
        if (waitMs) await Bun.sleep(waitMs);
        warehouse(event, context);
      },
  onReady: () => console.error("Receives events"),
}, flags);
`;

export interface QueueConsumerOptions {
  readonly queue: string;
  readonly events?: readonly string[];
  /** `beginning`, `now` or an ISO time. */
  readonly startFrom?: string;
  readonly exactlyOnce?: boolean;
  /** Duration of the handler, in milliseconds. */
  readonly waitMs?: number;
}

/** An event that reached a handler. */
export interface Seen {
  readonly id: string;
  readonly type: string;
  readonly item: number;
  readonly version: number;
  readonly attempt: number;
  readonly replay: boolean;
}

/** Returns the ids of the items of events. */
export const items = (events: readonly Seen[]): number[] => events.map(({ item }) => item);
/** Returns the ids of events, each once, as a consumer with an inbox handles them. */
export const firstTimes = (events: readonly Seen[]): string[] => [...new Set(events.map(({ id }) => id))];
/** Returns the whole numbers from `first` to `last`. */
export const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, n) => n + first);

export interface QueueConsumer extends Running {
  /** Returns the events that reached the handler so far, including failed attempts. */
  seen(): Seen[];
  /** Resolves when `count` events have reached the handler. */
  untilSeen(count: number, timeoutMs?: number): Promise<Seen[]>;
  /** Resolves when an event of this item has reached the handler. */
  untilItem(item: number): Promise<unknown>;
}

/** Starts consumers, and controls how they fail. */
export async function queueConsumers(env: Readonly<Record<string, string>>) {
  const project = await projectWith({ "consumers/under-test.ts": source });
  const trouble = join(project.path, "trouble.json");
  return {
    /** Makes events of items with these names fail at every attempt or only the first, or be rejected, until {@link works}. */
    fails(names: Readonly<Record<string, "fail" | "once" | "reject">>): void {
      writeFileSync(trouble, JSON.stringify(names));
    },
    works(): void {
      if (existsSync(trouble)) rmSync(trouble);
    },
    /** Starts a consumer and returns at once. `ready` resolves when it receives events. */
    spawn(options: QueueConsumerOptions): QueueConsumer {
      const running = run([join(project.path, "consumers/under-test.ts"), "--options", JSON.stringify({ ...options, trouble })], {
        env: { ...env },
      });
      const seen = () => running.stdout.map((line) => JSON.parse(line) as Seen);
      return {
        ...running,
        seen,
        untilItem: (item) => running.lines(new RegExp(`"item":${item},`), 1, 45_000),
        untilSeen: async (count, timeoutMs) => {
          await running.lines(/^{/, count, timeoutMs);
          return seen();
        },
      };
    },
    async start(options: QueueConsumerOptions): Promise<QueueConsumer> {
      const consumer = this.spawn(options);
      await consumer.line("Receives events", "stderr");
      return consumer;
    },
    remove: () => project.remove(),
  };
}

export type QueueConsumers = Awaited<ReturnType<typeof queueConsumers>>;

/** Polls the API until a queue has `count` dead letters. */
export function untilDead(url: string, queue: string, count: number): Promise<true> {
  return eventually(async () => ((await deadCount(url, queue)) === count ? true : undefined), `${count} dead letters of ${queue}`);
}

export async function deadCount(url: string, queue: string): Promise<number> {
  const { queues } = (await (await fetch(`${url}/dead-letters`)).json()) as { queues: { queue: string; count: number }[] };
  return queues.find((known) => known.queue === queue)?.count ?? 0;
}
