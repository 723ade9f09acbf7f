// Traces of the service and its consumers in one process, without a broker.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { trace } from "@opentelemetry/api";
import * as conventions from "@opentelemetry/semantic-conventions";
import * as incubating from "@opentelemetry/semantic-conventions/incubating";
import { Elysia } from "elysia";
import { Reject, RetryAfter } from "warren/consumer";
import { defineRoute } from "warren/route";
import items from "../routes/items";
import { buildApp } from "../src/app/app";
import { readConfig } from "../src/config/config";
import { startConsumer } from "../src/consumer/start";
import type { RunningConsumer } from "../src/delivery/running";
import { item } from "../src/domain/item";
import { type Engine, startEngine } from "../src/engine/engine";
import { temporaryFolder } from "./support/folder";
import type { ItemConsumer } from "./support/item-events";
import { memoryTracing } from "./support/memory-traces";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";
import { type SeenSpan, type Tree, treesOf } from "./support/trace-tree";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const caller = `00-${traceId}-b7ad6b7169203331-01`;
const quick = { attempts: 3, firstDelayMs: 1, longestDelayMs: 1 };

const broken = defineRoute(() =>
  new Elysia().get("", () => {
    throw new Error("out of order");
  }),
);

let folder: ReturnType<typeof temporaryFolder>;
let service: Engine;
let recorded: ReturnType<typeof recordedLog>;
let traces: ReturnType<typeof memoryTracing>;
let consumers: RunningConsumer[];
let app: ReturnType<typeof buildApp>;
const config = () =>
  readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${join(folder.path, "warren.db")}`, RABBITMQ_URL: "none" } });

async function open(tracing = memoryTracing()): Promise<void> {
  traces = tracing;
  folder = temporaryFolder();
  recorded = recordedLog();
  consumers = [];
  service = await startEngine(config(), catalogue, recorded.log, { tracing: traces.tracing });
  app = buildApp({
    routes: [
      { file: "items.ts", path: "/items", route: items },
      { file: "broken.ts", path: "/broken", route: broken },
    ],
    config: config(),
    log: recorded.log,
    tracing: traces.tracing,
    dependencies: { ...service.dependencies, clientOf: () => null, stopping: new AbortController().signal },
  });
}
async function close(): Promise<void> {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await service.stop();
  await traces.tracing.stop();
  folder.remove();
}
beforeEach(() => open());
afterEach(close);

async function consume(options: ItemConsumer): Promise<void> {
  const ready = Promise.withResolvers<void>();
  consumers.push(await startConsumer({ ...options, onReady: () => ready.resolve() }, config(), recorded.log, traces.tracing));
  await ready.promise;
}
function post(body: unknown, headers: Record<string, string> = { traceparent: caller }): Promise<Response> {
  const request = new Request("http://localhost:3000/items", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return app.handle(request);
}
const named = (name: string) => traces.spans().filter((span) => span.name === name);
/** Waits until there are so many spans of this name. */
const until = (name: string, count: number) =>
  eventually(() => (named(name).length >= count ? named(name) : undefined), `${count} spans ${name}`, 5000);
const trees = (id = traceId): Tree[] => treesOf(traces.spans(), id);

test("one trace: the request, its event, each consumer's handling and each retry", async () => {
  await consume({ queue: "audit", handle() {} });
  await consume({
    queue: "flaky",
    retry: quick,
    handle: (_, { attempt }) => {
      if (attempt < 3) throw new TypeError("not yet");
    },
  });
  await post({ name: "a" });
  await until("process flaky", 3);
  await until("process audit", 1);
  expect(trees()).toEqual([
    [
      "POST /items",
      ["create item.created", "process audit: 1 handled", "process flaky: 1 retry", "process flaky: 2 retry", "process flaky: 3 handled"],
    ],
  ]);
});

test("a span of processing is a child of the Create span, and linked to it", async () => {
  await consume({ queue: "audit", handle() {} });
  await post({ name: "a" });
  const [processed] = (await until("process audit", 1)) as [SeenSpan];
  const [created] = named("create item.created") as [SeenSpan];
  const [event] = await service.dependencies.system.log.read(0, 1);
  expect(event?.traceparent).toBe(`00-${traceId}-${created.spanId}-01`);
  expect(created).toMatchObject({
    kind: "producer",
    isError: false,
    attributes: {
      "messaging.system": "warren",
      "messaging.operation.type": "create",
      "messaging.operation.name": "create",
      "messaging.destination.name": "item.created",
      "messaging.message.id": event?.id,
    },
  });
  expect(processed).toMatchObject({
    kind: "consumer",
    parentSpanId: created.spanId,
    links: [created.spanId],
    isError: false,
    attributes: {
      "messaging.system": "warren",
      "messaging.operation.type": "process",
      "messaging.operation.name": "process",
      "messaging.destination.name": "audit",
      "messaging.message.id": event?.id,
      "warren.event.type": "item.created",
      "warren.attempt": 1,
      "warren.outcome": "handled",
    },
  });
});

describe("a request", () => {
  test("is a server span by the conventions for HTTP", async () => {
    const answer = await app.handle(
      new Request("http://localhost:3000/items/7?limit=secret", {
        headers: { traceparent: caller, "user-agent": "test/1", "x-request-id": "my-id" },
      }),
    );
    expect(answer.status).toBe(422);
    const [span] = (await until("GET /items/:id", 1)) as [SeenSpan];
    expect(span).toMatchObject({ kind: "server", parentSpanId: "b7ad6b7169203331", isError: false });
    expect(span.attributes).toEqual({
      "http.request.method": "GET",
      "http.route": "/items/:id",
      "http.response.status_code": 422,
      "http.response.header.x-request-id": ["my-id"],
      "url.path": "/items/7",
      "url.scheme": "http",
      "server.address": "localhost",
      "server.port": 3000,
      "user_agent.original": "test/1",
    });
  });

  test("that is refused keeps its route: not valid, or not JSON", async () => {
    expect((await post({ nmae: "a" })).status).toBe(422);
    const text = new Request("http://test/items", { method: "POST", headers: { "content-type": "application/json" }, body: "{" });
    expect((await app.handle(text)).status).toBe(400);
    const spans = await until("POST /items", 2);
    expect(spans.map((span) => span.attributes["http.response.status_code"])).toEqual([422, 400]);
    expect(named("create item.created")).toEqual([]);
  });

  test("to no route has only its method for a name", async () => {
    await app.handle(new Request("http://test/nothing/here"));
    expect((await until("GET", 1))[0]?.attributes).not.toHaveProperty("http.route");
    await app.handle(new Request("http://test/items", { method: "PROPFIND" }));
    expect((await until("HTTP", 1))[0]?.attributes).toMatchObject({ "http.request.method": "_OTHER" });
  });

  test("that fails is an error", async () => {
    const answer = await app.handle(new Request("http://test/broken"));
    expect(answer.status).toBe(500);
    const [span] = (await until("GET /broken", 1)) as [SeenSpan];
    expect([span.isError, span.attributes["error.type"]]).toEqual([true, "500"]);
    const [id] = span.attributes["http.response.header.x-request-id"] as string[];
    expect(recorded.lines.at(-1)).toMatchObject({ msg: "Request failed with an unexpected error", requestId: id, trace_id: span.traceId });
  });

  test("to /health has no span", async () => {
    await app.handle(new Request("http://test/health/live"));
    await post({ name: "a" });
    await until("POST /items", 1);
    expect(traces.spans().map((span) => span.name)).not.toContain("GET");
  });
});

describe("a batch", () => {
  const size = { size: 3, waitMs: 2000 };

  test("is one span, linked to the Create span of each event, in a trace of its own", async () => {
    await consume({ queue: "batches", batch: size, handleBatch() {} });
    await Promise.all([post({ name: "a" }), post({ name: "b" }, {}), post({ name: "c" }, {})]);
    const [batch] = (await until("process batches", 1)) as [SeenSpan];
    const created = named("create item.created");
    expect(new Set(created.map((span) => span.traceId)).size).toBe(3);
    expect(batch.links).toEqual(created.map((span) => span.spanId));
    expect(batch.parentSpanId).toBeUndefined();
    expect(batch.attributes).toMatchObject({ "messaging.batch.message_count": 3, "warren.outcome": "handled" });
    expect(batch.attributes).not.toHaveProperty("messaging.message.id");
  });

  test("that fails is followed by one span for each event, in the event's own trace", async () => {
    await consume({
      queue: "batches",
      batch: size,
      handleBatch: (events) => {
        if (events.some((event) => event.item.name === "bad")) throw new Reject("bad");
      },
    });
    await Promise.all([post({ name: "a" }), post({ name: "bad" }), post({ name: "c" })]);
    const spans = await until("process batches", 4);
    expect(spans.filter((span) => span.traceId !== traceId).map((span) => [span.isError, span.attributes["warren.outcome"]])).toEqual([
      [true, "split"],
    ]);
    expect(trees()).toEqual([
      ["POST /items", ["create item.created", "process batches: 1 dead-letter"]],
      ["POST /items", ["create item.created", "process batches: 1 handled"]],
      ["POST /items", ["create item.created", "process batches: 1 handled"]],
    ]);
  });
});

describe("an event belongs to its trace", () => {
  const processed = () => (trees()[0] as [string, [string, ...Tree[]]])[1].slice(1);

  test("after its consumer has started again, and after a redrive", async () => {
    const failing: ItemConsumer = {
      queue: "shop",
      retry: { attempts: 2, firstDelayMs: 1 },
      handle: (_, { attempt }) => {
        throw attempt === 1 ? new RetryAfter(1) : new Error("closed");
      },
    };
    await consume({
      ...failing,
      retry: { attempts: 2, firstDelayMs: 60_000, longestDelayMs: 60_000 },
      handle: () => Promise.reject(new RetryAfter(200)),
    });
    await post({ name: "a" });
    await until("process shop", 1);
    await consumers.pop()?.stop();
    await consume(failing);
    await until("process shop", 2);
    expect(processed()).toEqual(["process shop: 1 retry", "process shop: 2 dead-letter"]);

    await consumers.pop()?.stop();
    expect(await service.dependencies.deadLetters.redrive("shop", {})).toBe(1);
    await consume({ ...failing, handle() {} });
    await until("process shop", 3);
    expect(processed()).toEqual(["process shop: 1 handled", "process shop: 1 retry", "process shop: 2 dead-letter"]);
  });

  test("when it is replayed; what the inbox remembers is a duplicate", async () => {
    await consume({ queue: "shop", exactlyOnce: true, handle() {} });
    await post({ name: "a" });
    await until("process shop", 1);
    const everything = { types: null, subject: null, from: null, to: null, rate: null };
    await service.dependencies.replays.start("shop", { ...everything, force: false });
    await until("process shop", 2);
    await service.dependencies.replays.start("shop", { ...everything, force: true });
    const spans = await until("process shop", 3);
    expect(processed()).toEqual(["process shop: 1 duplicate", "process shop: 1 handled", "process shop: 1 handled"]);
    expect(spans.map((span) => span.attributes["warren.replay"])).toEqual([undefined, true, true]);
  });

  test("also where it was written before tracing was on: by the trace context of its request", async () => {
    await service.stop();
    service = await startEngine(config(), catalogue, recorded.log);
    const fields = { name: "a", description: null, price: null };
    await service.dependencies.system.insert(item, fields);
    await service.dependencies.system.insert(item, fields, { traceparent: caller });
    await consume({ queue: "audit", handle() {} });
    const [without, of] = (await until("process audit", 2)) as [SeenSpan, SeenSpan];
    expect([without.parentSpanId, without.links]).toEqual([undefined, []]);
    expect([of.traceId, of.parentSpanId, of.links]).toEqual([traceId, "b7ad6b7169203331", ["b7ad6b7169203331"]]);
  });
});

test("without tracing a handler gets the trace context of the request, and the log its trace", async () => {
  await service.stop();
  service = await startEngine(config(), catalogue, recorded.log);
  await service.dependencies.system.insert(item, { name: "a", description: null, price: null }, { traceparent: caller });
  const seen = Promise.withResolvers<string | undefined>();
  const options: ItemConsumer = {
    queue: "audit",
    handle: (_, { traceparent, log }) => {
      log.info("Looking");
      seen.resolve(traceparent);
    },
  };
  consumers.push(await startConsumer(options, config(), recorded.log));
  expect(await seen.promise).toBe(caller);
  expect(recorded.lines.find((line) => line.msg === "Looking")).toMatchObject({ trace_id: traceId });
  expect(traces.spans()).toEqual([]);
});

test("requests that share a commit do not share a trace", async () => {
  const ids = Array.from({ length: 50 }, (_, n) => (n + 1).toString(16).padStart(32, "0"));
  await Promise.all(ids.map((id) => post({ name: id }, { traceparent: `00-${id}-b7ad6b7169203331-01` })));
  await until("create item.created", 50);
  for (const id of ids) expect(trees(id)).toEqual([["POST /items", "create item.created"]]);
  const names = (await service.dependencies.system.log.read(0, 50)).map((entry) => [
    JSON.parse(entry.body).item.name,
    entry.traceparent?.slice(3, 35),
  ]);
  expect(names).toEqual(ids.map((id) => [id, id]));
});

test("what was not committed has no span", async () => {
  const failed = service.dependencies.system.update(item, 1, () => ({ name: "b", description: null, price: null }), {
    traceparent: caller,
  });
  expect(await failed).toBeUndefined();
  await post({ name: "a" });
  await until("create item.created", 1);
  expect(traces.spans().filter((span) => span.kind === "producer")).toHaveLength(1);
});

describe("a handler", () => {
  test("gets the trace context to pass on, and is inside the active span, on both sides of an await", async () => {
    const seen: (string | undefined)[] = [];
    await consume({
      queue: "audit",
      concurrency: 2,
      handle: async (_, { traceparent }) => {
        const active = () => trace.getActiveSpan()?.spanContext().spanId;
        seen.push(traceparent, active());
        await Bun.sleep(1);
        trace.getTracer("shop").startSpan("lookup").end();
        seen.push(active());
      },
    });
    await post({ name: "a" });
    const [span] = (await until("process audit", 1)) as [SeenSpan];
    expect(seen).toEqual([`00-${traceId}-${span.spanId}-01`, span.spanId, span.spanId]);
    await until("lookup", 1);
    expect(trees()).toEqual([["POST /items", ["create item.created", ["process audit: 1 handled", "lookup"]]]]);
  });

  test("that has a transaction is inside it, too", async () => {
    let active: string | undefined;
    await consume({
      queue: "audit",
      exactlyOnce: true,
      handle: () => {
        active = trace.getActiveSpan()?.spanContext().spanId;
      },
    });
    await post({ name: "a" });
    const [span] = (await until("process audit", 1)) as [SeenSpan];
    expect(active).toBe(span.spanId);
  });

  test("that fails: the span has the error, the log has the event and its trace", async () => {
    await consume({
      queue: "audit",
      retry: { ...quick, attempts: 2 },
      handle: (_, { log }) => {
        log.info("Looking");
        throw new TypeError("closed");
      },
    });
    await post({ name: "a" });
    const [first] = (await until("process audit", 2)) as [SeenSpan];
    expect([first.isError, first.attributes["error.type"]]).toEqual([true, "TypeError"]);
    const [entry] = await service.dependencies.system.log.read(0, 1);
    const lines = recorded.lines.filter((line) => "trace_id" in line);
    expect(lines.map(({ msg, event, trace_id }) => [msg, event, trace_id])).toEqual([
      ["Looking", entry?.id, traceId],
      ["The handler failed; the event will be retried", entry?.id, traceId],
      ["Looking", entry?.id, traceId],
      ["An event became a dead letter", entry?.id, traceId],
    ] as unknown[][]);
  });
});

describe("sampling", () => {
  test("a caller that does not sample its trace is obeyed, and so is the event", async () => {
    await consume({ queue: "audit", handle() {} });
    await post({ name: "a" }, { traceparent: `00-${traceId}-b7ad6b7169203331-00` });
    await post({ name: "b" });
    await until("process audit", 1);
    expect(
      traces
        .spans()
        .map((span) => span.name)
        .sort(),
    ).toEqual(["POST /items", "create item.created", "process audit"]);
    const [unsampled] = await service.dependencies.system.log.read(0, 1);
    expect(unsampled?.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  });

  test.each([
    ["always_off", 1, 0],
    ["always_on", 1, 2],
    ["traceidratio", 0, 0],
    ["parentbased_traceidratio", 0, 1],
    ["parentbased_always_off", 1, 1],
  ] as const)("%s, %d: %d of two", async (sampler, ratio, count) => {
    await close();
    await open(memoryTracing({ sampler, ratio }));
    await post({ name: "a" });
    await post({ name: "b" }, {});
    await traces.tracing.stop();
    expect(named("POST /items")).toHaveLength(count);
  });
});

test("every attribute is one of the conventions, or Warren's own", async () => {
  const known = new Set(
    Object.entries({ ...conventions, ...incubating }).flatMap(([name, value]) => (name.startsWith("ATTR_") ? [value] : [])),
  );
  await consume({ queue: "audit", events: ["item.created"], handle: () => Promise.reject(new Reject("no")) });
  await consume({ events: ["item.created"], handle() {} });
  await post({ name: "a" });
  await until("process audit", 1);
  await until("process", 1);
  const used = new Set(traces.spans().flatMap((span) => Object.keys(span.attributes)));
  expect(used.size).toBeGreaterThan(15);
  expect([...used].filter((name) => !known.has(name) && !/^(warren|http\.response\.header)\./.test(name))).toEqual([]);
});

test("a request that is answered and an event that is handled are no lines of the log", async () => {
  const seen: string[] = [];
  await consume({ queue: "audit", handle: (event) => void seen.push(event.id) });
  const before = recorded.lines.length;
  for (let n = 0; n < 20; n += 1) await post({ name: "a" });
  await eventually(() => (seen.length === 20 ? true : undefined), "20 events", 5000);
  expect(recorded.lines.slice(before).filter(({ level }) => level !== "debug" && level !== "trace")).toEqual([]);
});
