// GET /events/:id/timeline, and what it is made of.
import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { join } from "node:path";
import { buildEvent, testConsumer } from "warren/testing";
import items from "../routes/items";
import events from "../src/built-in/events";
import timelineRoute from "../src/built-in/timeline";
import { showTimeline } from "../src/commands/timeline-text";
import type { DeadLetter } from "../src/delivery/dead-letters";
import type { Timeline } from "../src/delivery/timeline";
import { item } from "../src/domain/item";
import { rabbitTimeline } from "../src/rabbitmq/timeline";
import type { Attempt } from "../src/store/consumer/attempt-table";
import type { ConsumerHistory } from "../src/store/consumer/history";
import { onlyLane } from "../src/store/consumer/lanes";
import type { ConsumerStore } from "../src/store/consumer/store";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import type { EventRecord } from "../src/store/store";
import { isOnPostgres, openApi, type TestApi } from "./support/api";
import { behindItsBack } from "./support/behind-its-back";
import { relayTo } from "./support/leader";

const routes = [
  { file: "events/[id]/timeline.ts", path: "/events/:id/timeline", route: timelineRoute },
  { file: "events.ts", path: "/events", route: events },
  { file: "items.ts", path: "/items", route: items },
];

let api: TestApi;
beforeEach(() => {
  api = openApi({ routes });
});
afterEach(async () => {
  setSystemTime();
  await api.close();
});

const ids = async () => (await api.store.log.read(0, 1000)).map(({ id }) => id);
const ask = (id: string) => api.send("GET", `/events/${id}/timeline`);

describe("an event is found by its id", () => {
  test("wherever it is in the log, also where events before it were removed", async () => {
    for (let n = 0; n < 7; n += 1) await Promise.all(Array.from({ length: 20 }, () => api.store.insert(item, item.example)));
    await api.store.prune("2999-01-01", 35);
    for (const entry of await api.store.log.read(0, 1000)) expect(await api.store.find(entry.id)).toMatchObject({ ...entry });
  });

  test.skipIf(isOnPostgres)("though ids are out of order, as an earlier program left them when the clock was put back", async () => {
    for (let n = 0; n < 30; n += 1) await api.store.insert(item, item.example);
    behindItsBack(join(api.consumersDir, "..", "warren.db"), (db) => {
      for (const [part, time] of ["2026-03-01", "2026-01-01", "2026-02-01"].entries()) {
        for (let n = 1; n <= 10; n += 1) {
          db.run("UPDATE events SET id = ? WHERE position = ?", [Bun.randomUUIDv7("hex", Date.parse(time)), part * 10 + n]);
        }
      }
    });
    expect(await ids()).not.toEqual((await ids()).sort());
    for (const id of await ids()) expect((await api.store.find(id))?.id).toBe(id);
  });

  test("or is undefined: for an event that was removed or never existed, or an invalid id", async () => {
    await api.store.insert(item, item.example);
    const [removed = ""] = await ids();
    await api.store.insert(item, item.example);
    await api.store.prune("2999-01-01", 1);
    for (const id of [removed, Bun.randomUUIDv7(), crypto.randomUUID(), "1", "%20", "stream"]) {
      const answer = await ask(id);
      expect([id, answer.status, answer.json<{ type: string }>().type]).toEqual([id, 404, "/problems/not-found"]);
    }
  });
});

describe("the request and the commit", () => {
  test("the request's id and its time are kept, of every kind of change", async () => {
    const before = Date.now();
    const sent = (method: string, path: string, body: unknown, n: number) => api.send(method, path, body, { "x-request-id": `mine-${n}` });
    await sent("POST", "/items", { name: "a" }, 1);
    await sent("PATCH", "/items/1", { name: "b" }, 2);
    await sent("PUT", "/items/1", { name: "c" }, 3);
    await sent("DELETE", "/items/1", undefined, 4);
    await sent("POST", "/items/bulk", [{ name: "d" }], 5);
    await api.send("POST", "/items", { name: "e" }, { "x-request-id": "mine-6", "idempotency-key": '"k"' });
    const timelines = await Promise.all((await ids()).map(async (id) => (await ask(id)).json<Timeline>()));
    expect(timelines.map(({ request }) => request.id)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `mine-${n}`));
    for (const { request, committedAt } of timelines) {
      const times = [before, Date.parse(request.at ?? ""), Date.parse(committedAt), Date.now()];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  test("without an id of the client's own, it is the one in the answer", async () => {
    const answer = await api.send("POST", "/items", { name: "a" });
    const [id = ""] = await ids();
    expect((await ask(id)).json<Timeline>().request.id).toBe(answer.headers.get("x-request-id") as string);
  });

  test("a change that no request made has none", async () => {
    await api.store.insert(item, item.example);
    const [id = ""] = await ids();
    expect((await ask(id)).json<Timeline>()).toMatchObject({ id, position: 1, subject: 1, request: { id: null, at: null }, consumers: [] });
  });
});

describe("the broker's confirm", () => {
  test("is that of the first position that was stored at or after the event", async () => {
    for (let n = 0; n < 5; n += 1) await api.store.insert(item, item.example);
    const start = Date.parse("2030-01-01T00:00:00.000Z");
    for (const [n, position] of [2, 4].entries()) {
      setSystemTime(new Date(start + n * 1000));
      await relayTo(api.store, position);
    }
    const found = await Promise.all((await ids()).map((id) => api.store.find(id)));
    expect(found.map((each) => [each?.relayed, each?.relayedAt])).toEqual([
      [true, start],
      [true, start],
      [true, start + 1000],
      [true, start + 1000],
      [false, null],
    ]);
  });

  test("is forgotten with the event, and not before", async () => {
    for (let n = 0; n < 3; n += 1) {
      await api.store.insert(item, item.example);
      await relayTo(api.store, n + 1);
    }
    const [, , last = ""] = await ids();
    await api.store.prune("2999-01-01", 2);
    expect((await api.store.find(last))?.relayedAt).toBeNumber();
  });
});

describe("what a consumer notes in its file", () => {
  const notes = "SELECT attempt, outcome, reason, error, dueAt IS NOT NULL AS isDue FROM warren_attempts ORDER BY number";

  test("is nothing of an event that it handles at once", async () => {
    await using consumer = testConsumer({ queue: "q", handle() {} });
    await consumer.deliver(buildEvent("item.created"));
    await consumer.deliver(buildEvent("item.created"), { replay: "yes" });
    expect(await consumer.rows(notes)).toEqual([]);
  });

  test("is each attempt of one that fails, with its error, until it is handled or given up", async () => {
    let calls = 0;
    await using consumer = testConsumer<"item.*">({
      queue: "q",
      retry: { attempts: 3 },
      handle({ item }) {
        calls += 1;
        if (item.id === 2 || calls === 1) throw new TypeError("no shelf");
      },
    });
    const event = buildEvent("item.created", { id: 1 });
    await consumer.deliverWithRetries(event);
    await consumer.deliverWithRetries(buildEvent("item.created", { id: 2 }));
    const failed = { outcome: "retry", reason: null, error: "TypeError: no shelf", isDue: 1 };
    expect(await consumer.rows(notes)).toEqual([
      { attempt: 1, ...failed },
      { attempt: 2, outcome: "handled", reason: null, error: null, isDue: 0 },
      { attempt: 1, ...failed },
      { attempt: 2, ...failed },
      { attempt: 3, outcome: "dead-letter", reason: "attempts-exhausted", error: "TypeError: no shelf", isDue: 0 },
    ]);
    expect(await consumer.rows("SELECT DISTINCT id FROM warren_attempts WHERE number <= 2")).toEqual([{ id: event.id }]);
  });

  test("is bounded: the oldest go", async () => {
    const file = openConsumerFile(":memory:", { durable: false });
    for (let n = 1; n <= 10_003; n += 1) await file.attempts.add(`event-${n}`, attempt({ outcome: "handled" }));
    expect(await file.transaction.get("SELECT count(*) AS count, min(number) AS first FROM warren_attempts")).toEqual({
      count: 10_000,
      first: 4,
    });
    await file.close();
  });
});

const at = Date.parse("2026-02-18T18:23:45.123Z");
const isoAt = "2026-02-18T18:23:45.123Z";
const attempt = (part: Partial<Attempt>): Attempt => ({
  attempt: 1,
  at,
  outcome: "retry",
  reason: null,
  error: null,
  dueAt: null,
  ...part,
});

describe("without RabbitMQ, by the consumer's file", () => {
  /** Returns the state at a consumer whose file `fill` has filled, for the first of two events. */
  async function standing(fill: (file: ConsumerStore, id: string, logId: string) => unknown) {
    for (let n = 0; n < 2; n += 1) await api.store.insert(item, item.example);
    const [id = ""] = await ids();
    const file = openConsumerFile(join(api.consumersDir, "q.db"), { durable: false });
    await fill(file, id, api.store.logId);
    await file.close();
    const { consumers, transport, broker } = (await ask(id)).json<Timeline>();
    expect([transport, broker.state]).toEqual(["embedded", "none"]);
    return consumers.map(({ state, at }) => [state, at] as const)[0];
  }
  const reads = async (file: ConsumerStore, logId: string, position: number, types = ["item.created"], start = 0) => {
    await file.begin(logId, start, types);
    await file.saveProgress(logId, [{ lane: onlyLane, position, begun: position }]);
  };
  const waits = { body: "{}", dueAt: at, delayMs: 0, firstFailure: null, replay: "no", traceparent: null } as const;
  const died = {
    type: null,
    body: "{}",
    reason: "rejected",
    error: "no",
    stack: null,
    attempts: 1,
    firstFailure: isoAt,
    traceparent: null,
  } as const;

  test.each([
    ["behind it: waiting", (file, _, log) => reads(file, log, 0), ["waiting", null]],
    ["past it: handled", (file, _, log) => reads(file, log, 1), ["handled", null]],
    ["of other types: skipped", (file, _, log) => reads(file, log, 2, ["item.deleted"]), ["skipped", null]],
    ["that began after it: skipped", (file, _, log) => reads(file, log, 2, ["item.created"], 1), ["skipped", null]],
    ["that noted it in the inbox: handled, and when", (file, id) => file.inbox.add([id], at), ["handled", isoAt]],
    ["that tries it again: retrying", (file, id) => file.waiting.add({ ...waits, id, attempts: 1 }), ["retrying", null]],
    ["that keeps it for later: waiting", (file, id) => file.waiting.add({ ...waits, id, attempts: 0 }), ["waiting", null]],
    [
      "that gave it up: dead letter",
      (file, id) => file.dead.add({ ...died, id, lastFailure: isoAt, replay: "no" }),
      ["dead-letter", isoAt],
    ],
    ["whose dead letter was removed: unknown", (file, id) => file.attempts.add(id, attempt({ outcome: "dead-letter" })), ["unknown", null]],
    [
      "that handled it after a failure: handled, and when",
      (file, id) => file.attempts.add(id, attempt({ outcome: "handled" })),
      ["handled", isoAt],
    ],
    ["of RabbitMQ, with nothing of it: not told", () => {}, undefined],
  ] as [string, Parameters<typeof standing>[0], Awaited<ReturnType<typeof standing>>][])("a consumer %s", async (_, fill, expected) => {
    expect(await standing(fill)).toEqual(expected);
  });

  test("a file from before attempts were kept is read as well", async () => {
    expect(
      await standing(async (file, id, log) => {
        await reads(file, log, 1);
        await file.inbox.add([id], at);
        for (const table of ["warren_attempts", "warren_follows"]) await file.transaction.run(`DROP TABLE ${table}`);
      }),
    ).toEqual(["handled", isoAt]);
  });
});

describe("with RabbitMQ", () => {
  const relayed = { type: "item.created", relayed: true } as EventRecord;
  const history = (part: Partial<ConsumerHistory>) => ({ attempts: [], ...part }) as unknown as ConsumerHistory;
  const letter = { reason: "rejected", lastFailure: isoAt } as DeadLetter;

  test.each([
    ["a dead letter that is there", undefined, [letter], "dead-letter", /rejected/],
    ["a file that says it failed", history({ attempts: [attempt({ dueAt: at })] }), [], "retrying", /due at 2026/],
    ["a file that says it worked in the end", history({ attempts: [attempt({ outcome: "handled" })] }), [], "handled", undefined],
    ["the inbox, though it failed before", history({ attempts: [attempt({})], inboxAt: at + 1 }), [], "handled", undefined],
    ["an older inbox, and a failure of a forced replay", history({ attempts: [attempt({})], inboxAt: at - 1 }), [], "retrying", undefined],
    ["a dead letter that is gone", history({ attempts: [attempt({ outcome: "dead-letter" })] }), [], "unknown", /redriven or discarded/],
    ["a broker that cannot be asked", undefined, "RabbitMQ is away.", "unknown", /^RabbitMQ is away\.; RabbitMQ keeps no record/],
    ["no file", undefined, [], "unknown", /this machine has no file of the consumer/],
    ["a file with nothing of it", history({}), [], "unknown", /records only failures/],
  ] as const)("by %s", (_, known, dead, state, note) => {
    const told = rabbitTimeline("q", relayed, known, dead);
    expect(told.state).toBe(state);
    if (note) expect(told.note).toMatch(note);
  });

  test("what the relay has not sent waits", () => {
    expect(rabbitTimeline("q", { ...relayed, relayed: false }, undefined, []).state).toBe("waiting");
  });
});

test("the text has every step in the order of time, with the time between, and obeys nothing", async () => {
  await api.send("POST", "/items", { name: "a" }, { "x-request-id": "mine" });
  const [id = ""] = await ids();
  const timeline = (await ask(id)).json<Timeline>();
  const later = (ms: number) => new Date(Date.parse(timeline.committedAt) + ms).toISOString();
  const failed = { attempt: 1, at: later(5), outcome: "retry", reason: null, error: "no \u001b[31mshelf", nextAt: later(905) } as const;
  const worked = { attempt: 2, at: later(15_005), outcome: "handled", reason: null, error: null, nextAt: null } as const;
  const consumers = [{ queue: "stock", state: "handled", at: later(15_005), note: null, attempts: [failed, worked] } as const];
  const text = showTimeline({ ...timeline, consumers }, (_, text) => text, undefined);
  const lines = text.split("\n");
  expect(lines[0]).toBe(`Event ${id}`);
  const steps = lines.slice(lines.findIndex((line) => line.startsWith("TIME")) + 1);
  expect(steps[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +API +request received: mine$/);
  expect(steps[1]).toMatch(/ \+\d+ ms {2}API {4}committed$/);
  expect(steps[2]).toMatch(/ \+5 ms {2}stock {2}attempt 1 failed, next attempt due after 900 ms: no \\u001b\[31mshelf$/);
  expect(steps[3]).toMatch(/ \+15 s {2}stock {2}attempt 2: handled$/);
  expect(lines.at(-1)).toMatch(/^stock {5}handled$/);
});

describe("the chain of causes", () => {
  test("leads up to the first event and down to those that the event has caused", async () => {
    const update = async (name: string, cause?: string, depth = 0) => {
      await api.store.update(item, 1, (now) => ({ ...now, name }), cause === undefined ? {} : { cause: { id: cause, depth } });
      return (await ids()).at(-1) ?? "";
    };
    await api.store.insert(item, item.example);
    const first = (await ids())[0] ?? "";
    const second = await update("second", first);
    const third = await update("third", second, 1);
    const [fourth, fifth] = [await update("fourth", third, 2), await update("fifth", third, 2)];
    const related = (id: string, type = "item.updated") => ({ id, type, subject: 1 });
    expect((await ask(third)).json()).toMatchObject({
      causes: [related(second), related(first, "item.created")],
      caused: [related(fourth), related(fifth)],
    });
    expect((await ask(first)).json()).toMatchObject({ causes: [], caused: [related(second)] });
    const text = showTimeline((await ask(third)).json<Timeline>(), (_, shown) => shown, undefined);
    for (const line of [/^CAUSED BY +TYPE +RECORD$/, /^HAS CAUSED +TYPE +RECORD$/])
      expect(text.split("\n")).toContainEqual(expect.stringMatching(line));
    for (const id of [first, second, fourth, fifth]) expect(text).toContain(id);
    expect(showTimeline((await ask(fifth)).json<Timeline>(), (_, shown) => shown, undefined)).not.toContain("HAS CAUSED");
  });

  test("ends at an event that is not in the log", async () => {
    await api.store.insert(item, item.example, { cause: { id: "of another program", depth: 3 } });
    expect((await ask((await ids())[0] ?? "")).json()).toMatchObject({ causes: [], caused: [] });
  });
});
