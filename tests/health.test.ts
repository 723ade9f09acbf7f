// /health/ready: progress from the event log to RabbitMQ.
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { readConfig } from "../src/config/config";
import { startEngine } from "../src/engine/engine";
import type { RelayStatus } from "../src/routing/route";
import type { LogEntry } from "../src/store/log";
import { warnOfProblems } from "../src/store/problem-warning";
import type { Store } from "../src/store/store";
import { openApi, storeWith, type TestApi } from "./support/api";
import { rabbitmqAt } from "./support/broker-config";
import { temporaryFolder } from "./support/folder";
import { freePort } from "./support/net";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";
import { advance } from "./support/settled";

let api: TestApi;
let relay: RelayStatus;
/** Age of the events in the log. */
let ageMs: number;
/** The timers that the store reports. */
let timers: { nextAt: number | undefined; hindered: number };
/** The problems that the store reports. */
let storeProblems: string[];

const aged = (store: Store): Store =>
  storeWith(store, {
    problems: async () => storeProblems,
    timers: { ...store.timers, next: async () => timers.nextAt, count: async () => ({ waiting: 1, hindered: timers.hindered }) },
    log: {
      ...store.log,
      read: async (position, limit) => {
        const older = (entry: LogEntry) => ({ ...entry, timestamp: new Date(Date.parse(entry.timestamp) - ageMs).toISOString() });
        return (await store.log.read(position, limit)).map(older);
      },
    },
  });

beforeEach(async () => {
  ageMs = 0;
  storeProblems = [];
  timers = { nextAt: undefined, hindered: 0 };
  relay = { transport: "rabbitmq", broker: "connected", node: "host:5672", isRunning: true, position: 0, problems: [] };
  api = openApi({ wrap: aged, relay: async () => relay });
  for (const name of ["a", "b", "c"]) expect((await api.send("POST", "/items", { name })).status).toBe(201);
});
afterEach(() => api.close());

async function ready(): Promise<{ status: string; backlog: { events: number; ageSeconds: number } | null }> {
  const answer = await api.send("GET", "/health/ready");
  expect(answer.status).toBe(200);
  return answer.json();
}

test("ready: RabbitMQ is there and has not been waited for too long", async () => {
  relay = { ...relay, position: 1 };
  expect(await ready()).toMatchObject({ status: "ready", problems: [], relay: true, events: 3, confirmed: 1, backlog: { events: 2 } });
  relay = { ...relay, position: 3 };
  expect((await ready()).backlog).toEqual({ events: 0, ageSeconds: 0 });
});

test("degraded: what waits is older than a minute, though RabbitMQ is there", async () => {
  ageMs = 59_000;
  expect((await ready()).status).toBe("ready");
  ageMs = 95_000;
  const old = await ready();
  expect(old).toMatchObject({ status: "degraded", problems: ["RabbitMQ has not confirmed an event that is 95 s old."] });
  expect(old.backlog?.ageSeconds).toBeGreaterThanOrEqual(95);
});

test.each([
  ["connecting", "Cannot reach RabbitMQ."],
  ["blocked", "RabbitMQ does not accept messages now (a memory or disk alarm)."],
] as const)("degraded, with the reason, and not down: RabbitMQ is %s", async (broker, problem) => {
  relay = { ...relay, broker, position: 3 };
  expect(await ready()).toMatchObject({ status: "degraded", problems: [problem], broker });
});

test("degraded: an event to publish later is late, or cannot be published", async () => {
  relay = { ...relay, position: 3 };
  timers.nextAt = Date.now() - 59_000;
  expect(await ready()).toMatchObject({ status: "ready", problems: [], timers: { lateSeconds: expect.closeTo(59, -1), problems: 0 } });
  timers = { nextAt: Date.now() + 1000, hindered: 2 };
  const problem = "2 events to publish later cannot be published.";
  expect(await ready()).toMatchObject({ status: "degraded", problems: [problem], timers: { lateSeconds: 0, problems: 2 } });
  timers = { nextAt: Date.now() - 95_000, hindered: 0 };
  expect(await ready()).toMatchObject({
    status: "degraded",
    problems: [expect.stringMatching(/^An event to publish later has been due for 9\d s\.$/)],
  });
});

test("degraded, also without RabbitMQ: the database needs an operator, which the log says once", async () => {
  const problem = "The event log has room for only 50 more events.";
  storeProblems = [problem];
  relay = { transport: "embedded", broker: "off", node: null, isRunning: false, position: 0, problems: [] };
  expect(await ready()).toMatchObject({ status: "degraded", problems: [problem] });

  jest.useFakeTimers();
  const { log, lines } = recordedLog();
  const stop = warnOfProblems({ problems: async () => storeProblems }, log);
  for (let turn = 0; turn < 3; turn += 1) await advance(30_000);
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([["warn", problem]]);
  storeProblems = [];
  await advance(30_000);
  storeProblems = [problem];
  await advance(30_000);
  expect(lines).toHaveLength(2);
  stop();
  jest.useRealTimers();
});

test("ready: no RabbitMQ is expected, so nothing waits for it", async () => {
  ageMs = 95_000;
  relay = { transport: "embedded", broker: "off", node: null, isRunning: false, position: 0, problems: [] };
  expect(await ready()).toMatchObject({ status: "ready", problems: [], backlog: null });
});

test("no RabbitMQ is expected, though one is looked for: it is off, and not connecting", async () => {
  const folder = temporaryFolder();
  const environment = { DATABASE_URL: `sqlite:${folder.path}/warren.db` };
  const config = readConfig({ isTerminal: false, environment });
  const away = rabbitmqAt(`amqp://127.0.0.1:${freePort()}/`);
  const states: string[] = [];
  for (const explicit of [false, true]) {
    const engine = await startEngine({ ...config, rabbitmq: { ...away, explicit } }, catalogue, recordedLog().log);
    states.push((await engine.dependencies.relay()).broker);
    await engine.stop();
  }
  folder.remove();
  expect(states).toEqual(["off", "connecting"]);
});
