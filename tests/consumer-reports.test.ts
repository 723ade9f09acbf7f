// What consumers report about themselves, and what the API makes of it.
import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import consumersRoute from "../src/built-in/consumers";
import { readConfig } from "../src/config/config";
import type { RabbitmqConfig } from "../src/config/rabbitmq";
import { keepReporting } from "../src/consumer/reporting";
import { startConsumer } from "../src/consumer/start";
import { type ConsumerReport, parseReport } from "../src/delivery/consumer-report";
import { item } from "../src/domain/item";
import { startEngine } from "../src/engine/engine";
import { waitSeconds, workSeconds } from "../src/observe/tally";
import { Broker } from "../src/rabbitmq/connection";
import { ReportListener, sendReport } from "../src/rabbitmq/reports";
import { ConsumerReports } from "../src/status/consumer-reports";
import { consumerStores } from "../src/store/open";
import { openApi } from "./support/api";
import { environmentOf, forEachEngineInFull, sqliteIn } from "./support/engines";
import { testInFull } from "./support/in-full";
import { eventually } from "./support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "./support/rabbit";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";
import { useFolder } from "./support/use-folder";

// A consumer reports after five seconds.
setDefaultTimeout(60_000);

const zeros = (bounds: readonly number[]) => new Array<number>(bounds.length + 1).fill(0);
let at = 0;
beforeEach(() => {
  at = Date.now() - 20_000;
});
const report = (about: Partial<ConsumerReport> = {}): string => {
  at += 5000;
  return JSON.stringify({
    ...{ id: "a", queue: "stock", host: "h", pid: 7, startedAt: "2026-02-18T18:00:00.000Z", at: new Date(at).toISOString() },
    ...{ stage: "consuming", breaker: "closed", handled: 0, duplicates: 0, skipped: 0, retried: 0, deadLettered: 0 },
    ...{ handler: zeros(workSeconds), delay: zeros(waitSeconds), lastError: null },
    ...about,
  } satisfies ConsumerReport);
};
const none = { reports: async () => [] };

test("rates are those between the last two reports; totals only grow", () => {
  const reports = new ConsumerReports(none);
  reports.take(report({ handled: 1000 }));
  expect(reports.list()).toMatchObject([{ queue: "stock", handled: 1000, handledPerSecond: 0, failed: 0 }]);
  reports.take(report({ handled: 1010, retried: 3, deadLettered: 1 }));
  expect(reports.list()).toMatchObject([{ handledPerSecond: 2, failed: 4, failedPerSecond: 0.8, retried: 3, deadLettered: 1 }]);
  reports.take(report({ id: "b", queue: "audit", handled: 5 }));
  expect(reports.list().map(({ queue }) => queue)).toEqual(["audit", "stock"]);
  expect(reports.totals).toMatchObject({ handled: 10, failed: 4 });
});

test("what is older, unreadable, or of a consumer that has ended is left out", () => {
  const reports = new ConsumerReports(none);
  const old = report({ handled: 1 });
  reports.take(report({ handled: 5 }));
  reports.take(old);
  for (const text of ["", "{}", report({ handled: -1 }), report({ handler: [] }), "null"]) reports.take(text);
  expect(reports.list()).toMatchObject([{ handled: 5 }]);
  reports.take(report({ stage: "stopped" }));
  expect(reports.list()).toEqual([]);
  at = Date.now() - 3_600_000;
  reports.take(report());
  expect(reports.list()).toEqual([]);
});

test("a consumer reports when something has changed, and says when it ends", async () => {
  const tally = { counts: { handled: 0, duplicates: 0, skipped: 0, retried: 0, deadLettered: 0 }, types: new Map(), lastError: null };
  const worker = { consumer: { queue: "stock" }, tally, breaker: { state: "closed" } } as never;
  const sent: ConsumerReport[] = [];
  let looks = 0;
  const stage = () => {
    looks += 1;
    return "consuming" as const;
  };
  const end = keepReporting({ worker, stage }, async (one) => void sent.push(one), recordedLog().log, 5);
  await eventually(() => sent.length > 0, "the first report");
  const then = looks;
  await eventually(() => looks > then + 3, "some looks");
  expect(sent.length).toBe(1);
  tally.counts.handled = 1;
  await eventually(() => sent.length > 1, "the next report");
  await end();
  expect(sent.map(({ stage, handled }) => [stage, handled])).toEqual([
    ["consuming", 0],
    ["consuming", 1],
    ["stopped", 1],
  ]);
  expect(sent.map((one) => parseReport(JSON.stringify(one))?.handled)).toEqual([0, 1, 1]);
});

test("errors are for admins only", async () => {
  const api = openApi({
    routes: [{ file: "consumers.ts", path: "/consumers", route: consumersRoute }],
    config: {
      apiTokens: [
        { token: "token-to-read", scope: "read" },
        { token: "token-of-admin", scope: "admin" },
      ],
    },
  });
  const stores = consumerStores({
    dataDir: `${api.consumersDir}/..`,
    database: { engine: "sqlite", file: api.databaseFile, shown: "" },
  });
  await (await stores.open("stock", { durable: false })).close();
  await stores.report("stock", report({ lastError: { at: new Date(at).toISOString(), event: "e", error: "secret" } }));
  const ask = async (token: string) => (await api.send("GET", "/consumers", undefined, { authorization: `Bearer ${token}` })).json();
  expect(await ask("token-to-read")).toMatchObject({ consumers: [{ queue: "stock", lastError: null }] });
  expect(await ask("token-of-admin")).toMatchObject({ consumers: [{ lastError: { event: "e", error: "secret" } }] });
  await api.close();
});

/** @param environment of the API and the consumer. */
async function isHeard(environment: Record<string, string>): Promise<void> {
  const config = readConfig({ isTerminal: false, environment });
  const { log } = recordedLog();
  const engine = await startEngine(config, catalogue, log);
  const { status, system, relay } = engine.dependencies;
  if (config.rabbitmq) await eventually(async () => (await relay()).broker === "connected", "the connection");
  const ready = Promise.withResolvers<void>();
  const handle = () => {
    throw new Error("no");
  };
  const options = { queue: "stock", events: ["item.created"], retry: { attempts: 1 }, onReady: () => ready.resolve(), handle } as const;
  const running = await startConsumer(options, config, log);
  await ready.promise;
  await status.consumers();
  await system.insert(item, item.example);
  const heard = await eventually(async () => (await status.consumers()).find(({ failed }) => failed > 0), "a report with the failure");
  expect(heard).toMatchObject({ queue: "stock", pid: process.pid, stage: "consuming", deadLettered: 1, lastError: { error: "no" } });
  await running.stop();
  await eventually(async () => (await status.consumers()).length === 0, "the end");
  await engine.stop();
}
const name = "the API hears of a consumer that runs, and of its end";

forEachEngineInFull((placesIn) => {
  const folder = useFolder();
  test(name, () => isHeard(environmentOf(placesIn(folder.path))));
});

describeWithRabbit("on RabbitMQ", () => {
  const folder = useFolder();
  const rabbit = useRabbit();
  testInFull(name, () => isHeard(environmentOf(sqliteIn(folder.path), rabbit().url)));

  test("a report that is not signed with the key is ignored", async () => {
    const config = readConfig({ isTerminal: false, environment: { RABBITMQ_URL: rabbit().url } }).rabbitmq as RabbitmqConfig;
    const broker = await Broker.connect(config, recordedLog().log);
    await eventually(() => broker.state === "connected", "the connection");
    const heard: string[] = [];
    const key = "the-key-of-the-api-in-32-characters";
    const listener = new ReportListener(
      broker,
      () => key,
      (text) => heard.push((JSON.parse(text) as ConsumerReport).queue),
      recordedLog().log,
    );
    listener.start();
    await eventually(async () => {
      await sendReport(broker, null, JSON.parse(report({ queue: "unsigned" })));
      await sendReport(broker, "another-key-of-somebody-in-32-chars", JSON.parse(report({ queue: "forged" })));
      await sendReport(broker, key, JSON.parse(report({ queue: "signed" })));
      return heard.length > 0;
    }, "a report");
    expect([...new Set(heard)]).toEqual(["signed"]);
    listener.stop();
    await broker.close();
    await emptyBroker(rabbit());
  });
});
