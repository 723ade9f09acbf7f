// Output of `bun run status` for a state, and its advice to a person.
import { describe, expect, test } from "bun:test";
import { scheduleExample } from "../src/built-in/schedule-schemas";
import { Screen } from "../src/commands/screen";
import { perSecond, statusText } from "../src/commands/status-text";
import { painter } from "../src/commands/text";
import { needsOf } from "../src/status/system-needs";
import type { ObservedQueue, SystemState } from "../src/status/system-state";

const plain = painter(false);
const queue: ObservedQueue = {
  queue: "audit",
  kind: "own",
  messages: 0,
  consumers: 1,
  retries: 0,
  deadLetters: 0,
  oldestSeconds: null,
  perSecond: 0,
};
const well: SystemState = {
  at: "2026-02-18T18:24:01.456Z",
  transport: { name: "rabbitmq", reason: "RABBITMQ_URL is set: amqp://***@host:5672/" },
  broker: { url: "amqp://***@host:5672/", node: "host:5672", state: "connected", error: null },
  api: { running: true, processes: null },
  database: "data/warren.db",
  log: { events: 1204, perSecond: 12.3 },
  relay: { confirmed: 1201, events: 3, ageSeconds: 2.1, perSecond: 9.97 },
  dangers: [],
  conversions: [],
  relayTrouble: null,
  refusals: [],
  timers: { waiting: 0, problems: 0, nextAt: null, lateSeconds: 0 },
  schedules: [],
  quarantine: [],
  queues: [
    { ...queue, queue: "item_events", messages: 120, retries: 3, perSecond: -340.2 },
    { ...queue, consumers: 2, perSecond: 0.42 },
  ],
};

test("the queue of a resource on RabbitMQ cannot be removed; without RabbitMQ it can", () => {
  const queues = [{ ...queue, queue: "item_events", kind: "shared" as const, messages: 2, consumers: 0 }];
  expect(needsOf({ ...well, queues })[0]?.todo).toStartWith(
    "Start a consumer of it: as the queue of a resource, it gets all events of that",
  );
  expect(needsOf({ ...well, broker: null, queues })[0]?.todo).toBe(
    "Start its consumer, or remove the queue if it is no longer needed: bun run queues remove item_events.",
  );
});

test("an unfinished conversion needs a person, who may have to start the API", () => {
  const conversions = [{ queue: "audit.dead", events: 1 }];
  const what = 'The conversion of "audit.dead" to a quorum queue is unfinished; 1 event of it waits elsewhere.';
  expect(needsOf({ ...well, conversions })).toEqual([
    { kind: "conversion", queue: "audit.dead", what, todo: expect.stringContaining("The API continues it.") },
  ]);
  const stopped = { running: false, processes: null };
  expect(needsOf({ ...well, api: stopped, conversions })[0]?.todo).toContain("Start the API with QUEUE_TYPE=quorum");
});

test("events to publish later: how many, when the first is due, and what needs a person", () => {
  const factsOf = (timers: SystemState["timers"]) =>
    statusText({ ...well, timers }, [], plain, undefined)
      .split("\n")
      .filter((line) => line.startsWith("Timers"));
  expect(factsOf(null)).toEqual([]);
  expect(factsOf(well.timers)).toEqual([]);
  const waits = { waiting: 3, problems: 0, nextAt: "2026-02-18T18:34:01.456Z", lateSeconds: 0 };
  expect(factsOf(waits)).toEqual(["Timers     3 wait, the first is due in 10 min"]);
  expect(needsOf({ ...well, timers: { ...waits, lateSeconds: 60 } })).toEqual([]);
  const late = { waiting: 10_000, problems: 2, nextAt: "2026-02-18T18:22:01.456Z", lateSeconds: 120 };
  expect(factsOf(late)).toEqual(["Timers     10,000 or more wait, the first is due for 2 min; 2 cannot be published"]);
  expect(factsOf({ waiting: 0, problems: 1, nextAt: null, lateSeconds: 0 })).toEqual(["Timers     none waits; 1 cannot be published"]);
  expect(needsOf({ ...well, timers: late })).toEqual([
    {
      kind: "late-timers",
      queue: null,
      what: "An event to publish later has been due for 2 min.",
      todo: "If this does not get less, look into the log of the API: it says what hinders it.",
    },
    {
      kind: "timer-problems",
      queue: null,
      what: "2 events to publish later cannot be published.",
      todo: expect.stringContaining("--problem"),
    },
  ]);
  const stopped = { running: false, processes: null };
  expect(needsOf({ ...well, api: stopped, timers: late })[0]?.todo).toContain("Start the API");
  expect(needsOf({ ...well, timers: { ...late, lateSeconds: 0, problems: 10_000 } })[0]?.what).toStartWith("At least 10,000 events");
});

test("schedules: the next time, those that are not done, and those that have stopped, which need a person", () => {
  const waiting = scheduleExample;
  const running = { ...scheduleExample, name: "slow", state: "running" } as const;
  const stopped = { ...scheduleExample, name: "old", state: "stopped", nextAt: null, announcedAt: "2026-02-08T18:24:01.456Z" } as const;
  const factsOf = (schedules: SystemState["schedules"]) =>
    statusText({ ...well, schedules }, [], plain, undefined)
      .split("\n")
      .filter((line) => line.startsWith("Schedules"));
  expect(factsOf([])).toEqual([]);
  expect(factsOf([waiting])).toEqual(["Schedules  1, the next time is in 15 h"]);
  expect(factsOf([stopped, running, waiting])).toEqual(["Schedules  3, the next time is in 15 h; 1 not done yet; 1 stopped"]);
  expect(needsOf({ ...well, schedules: [waiting, running] })).toEqual([]);
  expect(needsOf({ ...well, schedules: [waiting, stopped] })).toEqual([
    {
      kind: "stopped-schedule",
      queue: "old",
      what: 'The schedule of "old" has stopped: its consumer was there last 10 days ago.',
      todo: "Start its consumer, or remove it: `bun run schedules remove old`.",
    },
  ]);
});

test("a queue that could drop events, and one that refuses them, need a person", () => {
  const dangers = [{ queue: "audit", argument: "x-max-length", what: "beyond 5 events, the oldest are dropped", todo: "Delete it." }];
  const relayTrouble = { queue: "item_events", what: '"item_events" refuses events: it is full.', since: "2026-02-18T18:00:00.000Z" };
  expect(needsOf({ ...well, dangers, relayTrouble })).toEqual([
    {
      kind: "relay-stopped",
      queue: "item_events",
      what: 'Since 2026-02-18T18:00:00.000Z: "item_events" refuses events: it is full.',
      todo: "Events wait in the log until the queue's consumers catch up or its limit is raised.",
    },
    {
      kind: "queue-drops-events",
      queue: "audit",
      what: '"audit" drops events: beyond 5 events, the oldest are dropped (x-max-length).',
      todo: "Delete it.",
    },
  ]);
});

test("several processes of the API are counted, and the one that sends to RabbitMQ is named", () => {
  const api = (...leads: string[][]) => ({
    running: leads.length > 0,
    processes: leads.map((each, n) => ({ host: "alpha", pid: n + 1, leads: each })),
  });
  const shown = (of: SystemState["api"]) => statusText({ ...well, api: of }, [], plain, undefined).split("\n")[2];
  expect([api(), api(["log"]), api(["log"], ["relay", "retention"], [])].map(shown)).toEqual([
    "API        not running",
    "API        running in 1 process",
    "API        running in 3 processes; process 2 on alpha sends to RabbitMQ",
  ]);
});

describe("a state that needs no attention", () => {
  test("is shown in aligned columns", () => {
    expect(needsOf(well)).toEqual([]);
    expect(statusText(well, [], plain, undefined).split("\n")).toEqual([
      "Transport  rabbitmq, because RABBITMQ_URL is set: amqp://***@host:5672/",
      "Broker     connected to host:5672",
      "API        running",
      "Event log  1,204 events so far, 12/s, in data/warren.db",
      "Relay      3 events wait for RabbitMQ, the oldest for 2 s, 10.0/s confirmed",
      "",
      "WAITING  RETRIES  DEAD  CONSUMERS  CHANGE  QUEUE",
      "    120        3     0          1  -340/s  item_events",
      "      0        0     0          2  +0.4/s  audit",
      "",
      "Nothing needs attention.",
    ]);
  });

  test("without a broker: with the age of the oldest event, and no relay", () => {
    const embedded: SystemState = {
      ...well,
      transport: { name: "embedded", reason: "RABBITMQ_URL is none" },
      broker: null,
      relay: null,
      queues: [
        { ...queue, messages: 7, oldestSeconds: 75 },
        { ...queue, queue: "new", messages: null, consumers: 0 },
      ],
    };
    expect(needsOf(embedded)).toEqual([]);
    const text = statusText(embedded, [], plain, undefined);
    expect(text).not.toMatch(/Broker|Relay/);
    expect(text.split("\n").slice(4, 7)).toEqual([
      "WAITING  RETRIES  DEAD  CONSUMERS  OLDEST  CHANGE  QUEUE",
      "      7        0     0          1    75 s     0/s  audit",
      "      –        0     0          0       –     0/s  new",
    ]);
  });
});

describe("a person is needed for", () => {
  const away: SystemState = {
    ...well,
    broker: { url: "amqp://***@host/", node: null, state: "connecting", error: "ECONNREFUSED" },
    queues: null,
  };
  const old = { confirmed: 1, events: 1, ageSeconds: 180, perSecond: 0 };

  test.each<[string, SystemState, [string, string | null, RegExp, RegExp][]]>([
    ["no log", { ...well, log: null, relay: null }, [["no-log", null, /no event log in data\/warren\.db/, /bun run dev/]]],
    ["a broker that is away", away, [["broker-away", null, /^Cannot reach RabbitMQ at .* \(ECONNREFUSED\)\.$/, /Start it/]]],
    [
      "a broker that takes nothing",
      { ...well, broker: { url: "amqp://***@host/", node: "host", state: "blocked", error: null } },
      [["broker-away", null, /does not accept messages/, /rabbitmq-diagnostics alarms/]],
    ],
    ["a backlog that is old", { ...well, relay: old }, [["old-backlog", null, /1 event waits .* for 3 min/, /short of memory or disk/]]],
    [
      "one whose API is gone",
      { ...well, api: { running: false, processes: null }, relay: old },
      [["old-backlog", null, /./, /^Start the API/]],
    ],
    [
      "one whose broker is gone",
      { ...away, relay: old },
      [
        ["broker-away", null, /./, /./],
        ["old-backlog", null, /./, /when RabbitMQ is available again/],
      ],
    ],
    [
      "dead letters, and events without a consumer",
      { ...well, queues: [{ ...queue, consumers: 0, messages: 1, retries: 1, deadLetters: 1 }] },
      [
        ["dead-letters", "audit", /"audit" has 1 dead letter\./, /bun run dead-letters list audit/],
        ["no-consumer", "audit", /2 events wait in "audit"/, /Start its consumer, or remove the queue .* bun run queues remove audit\./],
      ],
    ],
    [
      "messages that no queue takes",
      { ...well, quarantine: [{ queue: "audit", messages: 1, folder: "data/quarantine/audit" }] },
      [["quarantine", "audit", /A message that no queue accepts is in data\/quarantine\/audit\./, /Each file states the reason/]],
    ],
    [
      "events of an embedded consumer that does not run",
      { ...well, broker: null, relay: null, queues: [{ ...queue, consumers: 0, messages: 1 }] },
      [["no-consumer", "audit", /1 event waits/, /bun run queues remove audit\.$/]],
    ],
  ])("%s", (_, state, wanted) => {
    const needs = needsOf(state);
    expect(needs.map(({ kind, queue }) => [kind, queue])).toEqual(wanted.map(([kind, queue]) => [kind, queue]));
    for (const [index, [, , what, todo]] of wanted.entries()) {
      expect(needs[index]?.what).toMatch(what);
      expect(needs[index]?.todo).toMatch(todo);
    }
  });

  test("nothing: a backlog below the limit, an empty queue, a queue without a consumer so far", () => {
    const queues = [
      { ...queue, consumers: 0 },
      { ...queue, consumers: 0, messages: null },
    ];
    expect(needsOf({ ...well, relay: { ...old, ageSeconds: 60 }, queues })).toEqual([]);
  });

  test("problems are shown with their fixes, wrapped to the width of the terminal", () => {
    const text = statusText(away, needsOf(away), plain, 50);
    expect(text).toContain("Broker     away (ECONNREFUSED)");
    expect(text).toContain("Queues unknown: cannot reach RabbitMQ.");
    const lines = text.split("\n").slice(text.split("\n").indexOf("1 problem needs attention:") + 1);
    expect(lines.every((line) => line.startsWith("  ") && line.length < 50)).toBe(true);
    expect(lines.map((line) => line.trim()).join(" ")).toBe(
      "Cannot reach RabbitMQ at amqp://***@host/ (ECONNREFUSED). Start it, or correct RABBITMQ_URL. Events wait in the log until then; none is lost.",
    );
  });
});

test.each([
  [0, "0/s"],
  [0.04, "0/s"],
  [-0.04, "0/s"],
  [0.25, "+0.3/s"],
  [-9.5, "-9.5/s"],
  [1234.5, "+1,235/s"],
])("a rate of %p is %s", (rate, text) => {
  expect(perSecond(rate, "+")).toBe(text);
});

test("a screen draws in its place, and what has no room is cut", () => {
  let written = "";
  const stream = {
    columns: 10,
    rows: 4,
    write(text: string) {
      written = text;
      return true;
    },
  } as unknown as NodeJS.WriteStream;
  const screen = new Screen(stream);
  screen.draw("one\ntwo");
  expect(written).toBe("\r\x1b[Jone\ntwo\n");
  screen.draw("a line that is too long\n2\n3\n4\n5");
  expect(written).toBe("\x1b[2A\r\x1b[Ja line t…\n2\n3\n");
  screen.draw("short");
  expect(written).toBe("\x1b[3A\r\x1b[Jshort\n");
});
