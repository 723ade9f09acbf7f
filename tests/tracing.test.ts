// Traces of the service and its consumers in one process, without a broker.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { trace } from "@opentelemetry/api";
import { Elysia } from "elysia";
import * as conventions from "@opentelemetry/semantic-conventions";
import * as incubating from "@opentelemetry/semantic-conventions/incubating";
import items from "../routes/items";
import { buildApp } from "../src/app";
import { readConfig } from "../src/config";
import { type AnyEvent, type ConsumerOptions, type HandlerContext, Reject, type RunningConsumer, startConsumer } from "../src/delivery/consumer";
import { type Engine, startEngine } from "../src/engine";
import { item } from "../src/domain/item";
import { defineRoute } from "../src/route";
import { temporaryFolder } from "./support/folder";
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
const config = () => readConfig({ isTerminal: false, environment: { DATABASE_URL: `sqlite:${join(folder.path, "warren.db")}`, RABBITMQ_URL: "none" } });

async function open(tracing = memoryTracing()): Promise<void> {
  traces = tracing;
  folder = temporaryFolder();
  recorded = recordedLog();
  consumers = [];
  service = await startEngine(config(), catalogue, recorded.log, traces.tracing);
  app = buildApp({
    routes: [
      { file: "items.ts", path: "/items", route: items },
      { file: "broken.ts", path: "/broken", route: broken },
    ],
    config: { apiTokens: [], rateLimit: null },
    log: recorded.log,
    tracing: traces.tracing,
    dependencies: service.dependencies,
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

async function consume(options: ConsumerOptions): Promise<void> {
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
  const [event] = await service.dependencies.store.log.read(0, 1);
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
    const answer = await app.handle(new Request("http://localhost:3000/items/7?limit=secret", { headers: { traceparent: caller, "user-agent": "test/1" } }));
    expect(answer.status).toBe(404);
    const [span] = (await until("GET /items/:id", 1)) as [SeenSpan];
    expect(span).toMatchObject({ kind: "server", parentSpanId: "b7ad6b7169203331", isError: false });
    expect(span.attributes).toEqual({
      "http.request.method": "GET",
      "http.route": "/items/:id",
      "http.response.status_code": 404,
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
  });

  test("that fails is an error", async () => {
    const answer = await app.handle(new Request("http://test/broken"));
    expect(answer.status).toBe(500);
    const [span] = (await until("GET /broken", 1)) as [SeenSpan];
    expect([span.isError, span.attributes["error.type"]]).toEqual([true, "500"]);
  });

  test("for health is none", async () => {
    await app.handle(new Request("http://test/health/live"));
    await post({ name: "a" });
    await until("POST /items", 1);
    expect(traces.spans().map((span) => span.name)).not.toContain("GET");
  });
});
