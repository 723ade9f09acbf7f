// `bun run status`, and the health of a consumer: real processes on both transports.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Need } from "../../src/status/system-needs";
import type { SystemState } from "../../src/status/system-state";
import { command, onTerminal } from "../support/command";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, eventually, type Running, run, send, startApi } from "../support/processes";
import { projectWith } from "../support/project";
import { describeWithRabbit, startRabbit } from "../support/rabbit";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

const source = `import { Reject, RetryAfter, runConsumer } from "warren/consumer";
await runConsumer({
  queue: "stock",
  events: ["item.created"],
  handle: ({ item }) => {
    if (item.name === "rejected") throw new Reject("no such shelf");
    if (item.name === "later") throw new RetryAfter(3_600_000);
    console.log("handled " + item.name);
  },
});
`;

type Status = SystemState & { needs: Need[] };

let folder: ReturnType<typeof temporaryFolder>;
let project: Awaited<ReturnType<typeof projectWith>>;
let env: Record<string, string>;
beforeEach(async () => {
  folder = temporaryFolder();
  env = environment(folder.path);
  project = await projectWith({ "consumers/stock.ts": source });
});
afterEach(async () => {
  await endAll();
  project.remove();
  folder.remove();
});

const status = async (...words: string[]) => command("status", words, env);

/** Polls until a queue is as wanted. Returns the whole status. */
function untilQueue(wanted: Partial<NonNullable<Status["queues"]>[number]>): Promise<Status> {
  return eventually(
    async () => {
      const { stdout, stderr } = await status("--json");
      expect(stderr).toBe("");
      const state = JSON.parse(stdout) as Status;
      const queue = state.queues?.find(({ queue }) => queue === "stock");
      const isAsWanted = queue && Object.entries(wanted).every(([key, value]) => queue[key as keyof typeof queue] === value);
      return isAsWanted ? state : undefined;
    },
    `"stock" to be ${JSON.stringify(wanted)}`,
  );
}

interface Consumer extends Running {
  health(path: "live" | "ready"): Promise<{ code: number; status: string; consumers?: unknown[] }>;
}

async function startConsumer(): Promise<Consumer> {
  const consumer = run([join(project.path, "consumers/stock.ts"), "--health-port", "0"], { env });
  const url = /http:[^ "]+(?=\/ready)/.exec(await consumer.line("Health is at", "stderr"))?.[0];
  const health: Consumer["health"] = async (path) => {
    const answer = await fetch(`${url}/${path}`);
    return { code: answer.status, ...((await answer.json()) as { status: string }) };
  };
  return { ...consumer, health };
}

const untilReady = (consumer: Consumer, code: number) =>
  eventually(async () => {
    const ready = await consumer.health("ready");
    return ready.code === code ? ready : undefined;
  }, `the consumer's readiness to be ${code}`);

const create = async (api: Api, ...names: string[]) => {
  for (const name of names) expect((await send("POST", `${api.url}/items`, { name })).status).toBe(201);
};
const stockNeeds = ({ needs }: Status) => needs.filter(({ queue }) => queue === "stock").map(({ kind }) => kind);

/** Checks on either transport: a consumer waits, works, gives up an event, and is gone. */
async function story(waits: RegExp): Promise<Api> {
  const consumer = await startConsumer();
  expect(await consumer.health("live")).toEqual({ code: 200, status: "live" });
  // With RabbitMQ, it may name the node that it is connected to.
  expect(await consumer.health("ready")).toMatchObject({
    code: 503,
    status: "not ready",
    consumers: [{ queue: "stock", status: "not ready", detail: expect.stringMatching(waits) }],
  });
  const api = await startApi({ env });
  expect(await untilReady(consumer, 200)).toMatchObject({ code: 200, status: "ready", consumers: [{ queue: "stock", status: "ready" }] });

  await create(api, "a", "later", "rejected");
  await consumer.line("handled a");
  const working = await untilQueue({ messages: 0, consumers: 1, retries: 1, deadLetters: 1 });
  expect([working.api.running, stockNeeds(working)]).toEqual([true, ["dead-letters"]]);

  await consumer.stop();
  await create(api, "b");
  expect(stockNeeds(await untilQueue({ messages: 1, consumers: 0, retries: 1 }))).toEqual(["dead-letters", "no-consumer"]);
  return api;
}

test("without a broker: in words, again and again in a pipe, and whether anything runs or not", async () => {
  const nothing = await status();
  expect([nothing.code, nothing.stderr]).toEqual([1, ""]);
  expect(nothing.stdout).toMatch(/^API {8}not running\nEvent log {2}none yet\n\nNo queues found\./m);
  expect(nothing.stdout).toContain(`There is no event log in ${join(folder.path, "data", "warren.db")} yet.`);

  const api = await story(/^Waiting for the API to create its database/);
  const watching = run(["src/commands/status.ts", "--watch", "--json", "--every", "0.2"], { env });
  const states = () => watching.stdout.map((line) => JSON.parse(line) as Status);
  await watching.lines(/./, 1);
  expect(states()[0]?.log).toEqual({ events: 4, perSecond: 0 });
  await create(api, "c", "d");
  const grown = await eventually(() => states().find(({ log }) => log?.events === 6), "two more events");
  expect(states().some(({ log }) => log && log.perSecond > 0)).toBe(true);
  expect(states().some(({ queues }) => queues?.some(({ perSecond }) => perSecond > 0))).toBe(true);
  expect(grown.queues?.[0]?.oldestSeconds).toBeGreaterThan(0);
  expect(await watching.stop("SIGINT")).toBe(1);

  await api.stop();
  const { code, stdout, stderr } = await status();
  expect([code, stderr]).toEqual([1, ""]);
  expect(stdout.split("\n")).toEqual([
    "Transport  embedded, because RABBITMQ_URL is none",
    "API        not running",
    `Event log  6 events so far, 0/s, in ${join(folder.path, "data", "warren.db")}`,
    "",
    "WAITING  RETRIES  DEAD  CONSUMERS  OLDEST  CHANGE  QUEUE",
    expect.stringMatching(/^ {6}3 {8}1 {5}1 {10}0 {2}[ \d]{4} s {5}0\/s {2}stock$/),
    "",
    "2 problems need attention:",
    '  "stock" has 1 dead letter.',
    "  `bun run dead-letters list stock` shows why. Fix the cause and redrive them, or discard them.",
    '  4 events wait in "stock", which has no consumer.',
    "  Start its consumer, or remove the queue if it is no longer needed: bun run queues remove stock.",
  ]);

  for (const [words, mistake] of [
    [["--every", "2"], "--every requires --watch."],
    [["--watch", "--every", "never"], "--every never: use a number of seconds from 0.1 to 86400."],
    [["stock"], 'Unexpected argument "stock".'],
    [["--colour"], "Unknown option '--colour'."],
  ] as const) {
    const wrong = await status(...words);
    expect([wrong.code, wrong.stdout, wrong.stderr.split("\n")[0]]).toEqual([2, "", mistake]);
  }
});

test("without a broker: a clean state needs nobody, and a second process that stands by is ready", async () => {
  const api = await startApi({ env });
  const first = await startConsumer();
  await untilReady(first, 200);
  const second = await startConsumer();
  await second.line("standing by", "stderr");
  expect(await second.health("ready")).toMatchObject({ status: "ready", consumers: [{ detail: expect.stringContaining("stands by") }] });
  await create(api, "a");
  await first.line("handled a");
  await untilQueue({ messages: 0, consumers: 1 });
  const { code, stdout } = await status();
  expect([code, stdout.split("\n").at(-1)]).toEqual([0, "Nothing needs attention."]);
});

describeWithRabbit("on RabbitMQ", () => {
  test("with the retries there; on a terminal the broker goes and comes back in the same place", async () => {
    const rabbit = await startRabbit();
    try {
      env = environment(folder.path, rabbit.url);
      const api = await story(/^Waiting for its queue|^Cannot reach RabbitMQ/);
      const { code, stdout } = await status();
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^Broker {5}connected to 127\.0\.0\.1:\d+\nAPI {8}running\nEvent log {2}4 events so far, 0\/s, in .*\nRelay {6}nothing waits for RabbitMQ, 0\/s/m,
      );
      expect(stdout).toMatch(
        /^WAITING {2}RETRIES {2}DEAD {2}CONSUMERS {2}CHANGE {2}QUEUE\n(?:.*\n)*? {6}4 {8}0 {5}0 {10}0 {5}0\/s {2}item_events$/m,
      );
      expect(stdout).toMatch(/^ {6}1 {8}1 {5}1 {10}0 {5}0\/s {2}stock$/m);
      expect(stdout).toMatch(/^3 problems need attention:$/m);

      const consumer = await startConsumer();
      await untilReady(consumer, 200);
      const shown = onTerminal("status", ["--watch", "--every", "0.3"], env);
      const from = (pattern: RegExp) => {
        const seen = shown.text().length;
        return eventually(() => (pattern.test(Bun.stripANSI(shown.text().slice(seen))) ? true : undefined), `${pattern} on the terminal`);
      };
      await from(/Broker +connected/);
      await rabbit.kill();
      await from(/Broker +away \(.+\)/);
      await create(api, "c");
      await from(/1 event waits for RabbitMQ, the oldest for \d+ s.*\s+Queues unknown: cannot reach RabbitMQ/);
      expect(await untilReady(consumer, 503)).toMatchObject({
        status: "not ready",
        consumers: [{ detail: "Cannot reach RabbitMQ." }],
      });
      await rabbit.start();
      await from(/Broker +connected[\s\S]*nothing waits for RabbitMQ/);
      expect((await untilReady(consumer, 200)).status).toBe("ready");
      shown.type("\x03");
      expect(await shown.exited).toBe(1);
      // Each drawing goes back over the one before: nothing scrolls.
      const [, ...drawings] = shown.text().split("\r\x1b[J");
      expect(drawings.length).toBeGreaterThan(3);
      for (const drawing of drawings.slice(0, -1)) expect(drawing).toEndWith(`\x1b[${drawing.split("\n").length - 1}A`);
    } finally {
      await rabbit.dispose();
    }
  });
});
