// Metrics of a running API and consumer on both transports, and delivery while they are scraped.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { declaredMetrics } from "../support/declared-metrics";
import { temporaryFolder } from "../support/folder";
import { type Api, endAll, environment, eventually, type Running, run, send, startApi } from "../support/processes";
import { projectWith } from "../support/project";
import { closeConnections, describeWithRabbit, startRabbit } from "../support/rabbit";
import { promtool, runPromtool, type Scrape, scrape } from "../support/scrape";

setDefaultTimeout(120_000);

const source = `import { existsSync } from "node:fs";
import { Reject, readFlags, runConsumer } from "warren/consumer";
const flags = readFlags("", { trouble: { type: "string", default: "" } });
await runConsumer({
  queue: "warehouse",
  events: ["item.created"],
  retry: { attempts: 1000, firstDelayMs: 20, longestDelayMs: 20 },
  breaker: { minimum: 2, pauseMs: 500 },
  handle: ({ item }) => {
    if (item.name === "rejected") throw new Reject("no such shelf");
    if (existsSync(flags.trouble)) throw new Error("the warehouse does not answer");
    console.log("handled " + item.name);
  },
}, flags);
`;

let folder: ReturnType<typeof temporaryFolder>;
let project: Awaited<ReturnType<typeof projectWith>>;
let trouble: string;
beforeEach(async () => {
  folder = temporaryFolder();
  project = await projectWith({ "consumers/warehouse.ts": source });
  trouble = join(folder.path, "trouble");
});
afterEach(async () => {
  await endAll();
  project.remove();
  folder.remove();
});

interface Watched extends Running {
  readonly url: string;
}

async function startConsumer(env: Record<string, string>): Promise<Watched> {
  const consumer = run([join(project.path, "consumers/warehouse.ts"), "--trouble", trouble, "--metrics-port", "0"], { env });
  const url = /http:[^ "]+(?=\/metrics)/.exec(await consumer.line("Metrics are at", "stderr"))?.[0] ?? "";
  expect(url).toStartWith("http://127.0.0.1:");
  return { ...consumer, url };
}

const create = async (api: Api, ...names: string[]) => {
  for (const name of names) expect((await send("POST", `${api.url}/items`, { name })).status).toBe(201);
};
/** Scrapes until a value is there. */
function untilValue(url: string, wanted: number, name: string, labels?: Record<string, string>): Promise<Scrape> {
  return eventually(
    async () => {
      const read = await scrape(url);
      return read.value(name, labels) === wanted ? read : undefined;
    },
    `${name} ${JSON.stringify(labels)} to be ${wanted}`,
  );
}
const queue = "warehouse";
const handled = { queue, type: "item.created", outcome: "handled" };

/** Checks that apply to either transport. Returns the last scrapes. */
async function story(api: Api, consumer: Watched): Promise<{ ofApi: Scrape; ofConsumer: Scrape }> {
  await create(api, "a", "b", "rejected", "c");
  await untilValue(consumer.url, 3, "warren_consumer_events_total", handled);
  await untilValue(consumer.url, 1, "warren_consumer_dead_letters_total", { queue, reason: "rejected" });

  // Half of a request, and a scrape that nobody reads: neither holds anything up.
  const port = Number(new URL(consumer.url).port);
  const sockets = await Promise.all(
    ["GET /metrics HTTP/1.1\r\nHost:", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500)].map(async (text) => {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
      socket.pause();
      socket.write(text);
      return socket;
    }),
  );
  expect((await scrape(consumer.url)).value("warren_consumer_breaker_open", { queue })).toBe(0);
  writeFileSync(trouble, "");
  await create(api, "d", "e");
  await untilValue(consumer.url, 1, "warren_consumer_breaker_open", { queue });
  rmSync(trouble);
  await untilValue(consumer.url, 0, "warren_consumer_breaker_open", { queue });
  await consumer.line("handled d");
  await consumer.line("handled e");
  for (const socket of sockets) socket.terminate();

  const ofConsumer = await untilValue(consumer.url, 5, "warren_consumer_events_total", handled);
  expect(ofConsumer.value("warren_consumer_events_total", { ...handled, outcome: "retry" })).toBeGreaterThanOrEqual(2);
  expect(ofConsumer.value("warren_consumer_delay_seconds_count", { queue, type: "item.created" })).toBe(5);

  const both = await Promise.all([scrape(api.url), scrape(api.url)]);
  const ofApi = both[0] as Scrape;
  expect(ofApi.value("warren_events_appended_total", { type: "item.created" })).toBe(6);
  expect(ofApi.value("warren_http_server_request_duration_seconds_count", { http_route: "/items" })).toBe(6);
  expect(ofApi.value("warren_queue_consumers", { queue })).toBe(1);
  expect(ofApi.value("warren_queue_messages", { queue })).toBe(0);
  expect(ofApi.value("warren_queue_dead_letters", { queue })).toBe(1);
  if (promtool) for (const { text } of [ofApi, ofConsumer]) await runPromtool(["check", "metrics"], text);
  return { ofApi, ofConsumer };
}

test("without RabbitMQ: the API and a consumer serve metrics; a port in use is reported, and no event is lost", async () => {
  const env = environment(folder.path);
  const api = await startApi({ env });
  const consumer = await startConsumer(env);
  const { ofApi, ofConsumer } = await story(api, consumer);
  expect(ofApi.value("warren_queue_retries", { queue })).toBe(0);
  for (const { text } of [ofApi, ofConsumer]) expect(text).not.toMatch(/warren_(relay|broker)/);

  const port = new URL(consumer.url).port;
  const logger = run(["consumers/logger.ts", "--events", "item.deleted", "--metrics-port", port], { env });
  expect(await logger.line("No metrics", "stderr")).toContain(
    `127.0.0.1:${port} (another program uses this port; choose another --metrics-port)`,
  );
  await logger.line("Waiting for events");
  await send("DELETE", `${api.url}/items/1`);
  await logger.line("[DELETED] Item ID: 1");

  const mistaken = run(["consumers/logger.ts", "--metrics-port", "many"], { env });
  expect(await mistaken.exited).toBe(1);
  expect(mistaken.stderr).toEqual(["--metrics-port many: use a whole number from 0 (any free port) to 65535, such as 9464."]);
});

describeWithRabbit("with RabbitMQ", () => {
  test("the API and a consumer tell how they do, and how their connections do", async () => {
    const rabbit = await startRabbit();
    try {
      const env = environment(folder.path, rabbit.url);
      const api = await startApi({ env });
      const consumer = await startConsumer(env);
      const { ofApi, ofConsumer } = await story(api, consumer);
      const missing = [...(await declaredMetrics()).labels.keys()].filter(
        (name) => !ofApi.labels.has(name) && !ofConsumer.labels.has(name),
      );
      expect(missing).toEqual([]);
      expect(ofApi.value("warren_relay_confirms_total")).toBe(6);
      expect([ofApi.value("warren_relay_position"), ofApi.value("warren_relay_backlog_events")]).toEqual([6, 0]);
      for (const read of [ofApi, ofConsumer]) {
        expect([read.value("warren_broker_connected"), read.value("warren_broker_reconnects_total")]).toEqual([1, 0]);
      }

      // A broker that takes nothing.
      await rabbit.ctl("set_vm_memory_high_watermark", "0.00000001");
      await create(api, "f");
      const blocked = await eventually(async () => {
        const read = await scrape(api.url);
        // The event came after the block began, so both are waited for.
        const waits = ["warren_broker_blocked_seconds_total", "warren_relay_backlog_age_seconds"].map((name) => read.value(name) ?? 0);
        return waits.every((seconds) => seconds > 0.1) ? read : undefined;
      }, "RabbitMQ to block, and an event to wait for it");
      expect([blocked.value("warren_relay_backlog_events"), blocked.value("warren_broker_connected")]).toEqual([1, 1]);
      await rabbit.ctl("set_vm_memory_high_watermark", "0.4");
      await untilValue(api.url, 0, "warren_relay_backlog_events");

      await closeConnections(rabbit);
      for (const { url } of [api, consumer]) {
        const back = await untilValue(url, 1, "warren_broker_reconnects_total");
        await (back.value("warren_broker_connected") === 1 ? back : untilValue(url, 1, "warren_broker_connected"));
      }
      await consumer.line("handled f");
    } finally {
      await rabbit.dispose();
    }
  });
});
