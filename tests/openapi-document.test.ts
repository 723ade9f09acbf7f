// The document at /swagger/json: valid OpenAPI 3.1, and true of what the API does.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia } from "elysia";
import { defineRoute } from "warren/route";
import { buildApp } from "../src/app/app";
import { DeadLetterJobs } from "../src/delivery/dead-letter-jobs";
import { Replays } from "../src/delivery/replays";
import { EmbeddedDeadLetters } from "../src/embedded/dead-letters";
import { EmbeddedReplays } from "../src/embedded/replays";
import { findTimeline } from "../src/engine/timelines";
import { storesFor } from "../src/http/request-store";
import { createLog } from "../src/observe/logging";
import { Metrics } from "../src/observe/metrics";
import { loadCatalogue } from "../src/project/resources";
import { type LoadedRoute, loadRoutes } from "../src/routing/router";
import type { Catalogue } from "../src/schema/catalogue";
import { consumerStores } from "../src/store/open";
import { openSqliteStore } from "../src/store/sqlite/store";
import { Pace } from "../src/timing/pace";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { liveStatusOf } from "./support/live-status";
import { isOwn } from "./support/openapi";
import { root } from "./support/processes";

interface Media {
  schema: Json;
  example?: unknown;
}
interface Operation {
  summary: string;
  description?: string;
  tags: string[];
  operationId: string;
  parameters?: { name: string; in: string; description: string; required?: boolean; schema: Json }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, { description: string; headers?: Json; content?: Record<string, Media> }>;
  security?: unknown[];
}
type Json = Record<string, unknown>;
interface Document {
  openapi: string;
  info: Json;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes?: Json };
  security?: unknown[];
  servers?: Json[];
  tags?: { name: string; description?: string }[];
}

let folder: ReturnType<typeof temporaryFolder>;
let catalogue: Catalogue;
let store: ReturnType<typeof openSqliteStore>;
let open: AnyElysia;
let document: Document;
let guarded: Document;

beforeAll(async () => {
  folder = temporaryFolder();
  catalogue = await loadCatalogue();
  store = openSqliteStore(join(folder.path, "warren.db"), catalogue.resources);
  open = await build([], null);
  document = await documentOf(open);
  guarded = await documentOf(await build(["a long secret"], 100));
});
afterAll(async () => {
  await store.close();
  folder.remove();
});

async function build(apiTokens: string[], rateLimit: number | null, routes?: LoadedRoute[]): Promise<AnyElysia> {
  const log = createLog({ level: "silent", format: "json", stream: 1 });
  const consumers = consumerStores(sqliteIn(folder.path));
  return buildApp({
    routes: routes ?? (await loadRoutes(join(root, "routes"))),
    dependencies: {
      system: store,
      storeFor: storesFor(store, new Pace()),
      catalogue,
      deadLetters: new EmbeddedDeadLetters(consumers),
      deadLetterJobs: new DeadLetterJobs(new EmbeddedDeadLetters(consumers)),
      replays: new Replays(new EmbeddedReplays({ ...store.log, logId: store.logId }, consumers)),
      timeline: (id) => findTimeline({ store, consumers, rabbitmq: undefined }, id),
      metrics: new Metrics(log),
      log,
      status: liveStatusOf(folder.path, store, { catalogue, consumers }),
      topology: async () => ({ transport: "embedded", resources: [], queues: [] }),
      removeQueue: async () => {
        throw new Error("There is none in this test.");
      },
      settings: () => [],
      relay: async () => ({ transport: "embedded", broker: "off", node: null, isRunning: false, position: 0, problems: [] }),
      clientOf: () => null,
      stopping: new AbortController().signal,
    },
    config: {
      apiTokens: apiTokens.map((token) => ({ token, scope: "admin" })),
      issuer: null,
      allowedHosts: null,
      corsOrigins: [],
      console: "on",
      trustedProxies: 0,
      rateLimit,
    },
    log,
  });
}

async function documentOf(app: AnyElysia): Promise<Document> {
  const response = await app.handle(new Request("http://localhost/swagger/json"));
  expect(response.status).toBe(200);
  return (await response.json()) as Document;
}

function operations(of: Document): { name: string; path: string; method: string; operation: Operation }[] {
  return Object.entries(of.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, method, operation })),
  );
}

/** Every object in the document but those in examples, with the key that it is the value of. */
function* objects(value: unknown, key = ""): Generator<[string, Json]> {
  if (typeof value !== "object" || value === null || key === "example") return;
  if (!Array.isArray(value)) yield [key, value as Json];
  for (const [name, inner] of Object.entries(value)) yield* objects(inner, name);
}

test("shows every route of the API, and no other", () => {
  const routes = open.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/, "{$1}")}`);
  expect(
    operations(document)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(routes.filter((route) => !/ \/(swagger|asyncapi|problems|console)/.test(route)).sort());
  expect(routes).toContain("PATCH /items/{id}");
});

describe("is valid OpenAPI 3.1", () => {
  test("the document", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "Warren API", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    for (const name of Object.keys(document.components.schemas)) expect(name).toMatch(/^[A-Za-z0-9._-]+$/);
    const ids = operations(document).map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("the operations", () => {
    for (const { name, path, operation } of operations(document)) {
      expect(path).toMatch(/^\//);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect([name, declared.map((parameter) => parameter.name)]).toEqual([name, inPath]);
      for (const parameter of declared) expect(parameter.required).toBe(true);
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
      for (const [status, answer] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$/);
        expect([name, status, typeof answer.description]).toEqual([name, status, "string"]);
        for (const key of Object.keys(answer)) expect(["description", "headers", "content"]).toContain(key);
      }
      const contents = [operation.requestBody?.content, ...Object.values(operation.responses).map((answer) => answer.content)];
      for (const content of contents.filter((one) => one !== undefined)) {
        for (const [type, media] of Object.entries(content)) {
          expect(type).toMatch(/^[a-z]+\/[a-z+-]+$/);
          expect([name, typeof media.schema]).toEqual([name, "object"]);
        }
      }
    }
  });

  test("the schemas", () => {
    const types = ["null", "boolean", "object", "array", "number", "string", "integer"];
    for (const schema of [document.paths, document.components.schemas].flatMap((part) => [...objects(part)])) {
      const [key, value] = schema;
      if (key === "schema") expect(value["type"] ?? value["$ref"] ?? value["anyOf"]).toBeDefined();
      if ("nullable" in value) throw new Error("nullable is of OpenAPI 3.0");
      if (key !== "properties" && typeof value["type"] === "string") expect(types).toContain(value["type"]);
    }
  });

  test("every reference leads somewhere, and every named schema is referred to", () => {
    const references = [...objects(document)].map(([, value]) => value["$ref"]).filter((reference) => reference !== undefined);
    const named = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(references)].sort()).toEqual(named.sort());
    expect(named).toContain("#/components/schemas/Item");
  });
});

describe("every operation", () => {
  test("has a summary and a tag", () => {
    for (const { name, operation } of operations(document).filter(isOwn)) {
      expect([name, operation.summary?.length > 3, operation.tags?.length]).toEqual([name, true, 1]);
    }
  });

  test("has a body and an answer with schema and example, of the media type that is really taken and sent", () => {
    for (const { name, path, method, operation } of operations(document).filter(isOwn)) {
      const withBody = ["post", "put", "patch"].includes(method) && !name.endsWith("/restore");
      expect([name, operation.requestBody !== undefined]).toEqual([name, withBody]);
      const isBulk = path.endsWith("/bulk");
      const answered = isBulk ? ["application/json", "application/x-ndjson"] : ["application/json"];
      const types = method === "patch" ? ["application/merge-patch+json", "application/json"] : answered;
      if (operation.requestBody) expect([name, Object.keys(operation.requestBody.content)]).toEqual([name, types]);
      const good = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
      expect([name, good.length > 0]).toEqual([name, true]);
      for (const [status, answer] of good) {
        const isStream = name.endsWith("/stream");
        const single = name === "GET /metrics" ? "text/plain" : isStream ? "text/event-stream" : undefined;
        const sent = single ? [single] : answered;
        expect([name, Object.keys(answer.content ?? {})]).toEqual([name, status === "204" ? [] : sent]);
      }
      const medias = [operation.requestBody?.content, ...good.map(([, answer]) => answer.content)].flatMap((content) =>
        Object.values(content ?? {}),
      );
      for (const media of medias) expect([name, media.example]).toEqual([name, expect.anything()]);
    }
  });

  test("has its error answers, as problems", () => {
    const errors = (name: string, of: Document) =>
      operations(of)
        .filter((one) => one.name === name)
        .flatMap(({ operation }) => Object.keys(operation.responses).filter((status) => Number(status) >= 400));
    expect(errors("GET /health/live", document)).toEqual(["500"]);
    expect(errors("GET /health/ready", document)).toEqual(["500", "503"]);
    expect(errors("GET /items", document)).toEqual(["422", "500", "503"]);
    expect(errors("POST /items", document)).toEqual(["400", "403", "413", "415", "422", "429", "500", "503"]);
    expect(errors("POST /items/bulk", document)).toEqual(["400", "403", "413", "415", "422", "429", "500", "503"]);
    expect(errors("GET /items/{id}", document)).toEqual(["400", "404", "410", "412", "422", "500", "503"]);
    expect(errors("PUT /items/{id}", document)).toEqual(["400", "403", "404", "412", "413", "415", "422", "429", "500", "503"]);
    expect(errors("PATCH /items/{id}", document)).toEqual(["400", "403", "404", "412", "413", "415", "422", "429", "500", "503"]);
    expect(errors("DELETE /items/{id}", document)).toEqual(["400", "403", "404", "412", "422", "429", "500", "503"]);
    expect(errors("DELETE /items/{id}", guarded)).toEqual(["400", "401", "403", "404", "412", "422", "429", "500", "503"]);
    expect(errors("GET /health/live", guarded)).toEqual(["429", "500"]);
    for (const { operation } of operations(guarded)) {
      for (const [status, answer] of Object.entries(operation.responses).filter(([code]) => Number(code) >= 400)) {
        expect(answer.content).toEqual({
          "application/problem+json": {
            schema: { $ref: "#/components/schemas/Problem" },
            example: {
              type: expect.stringMatching(/^\/problems\/[a-z-]+$/),
              title: answer.description,
              status: Number(status),
              requestId: expect.any(String),
            },
          },
        });
      }
    }
  });

  test("says what each parameter is", () => {
    for (const { name, operation } of operations(document).filter(isOwn)) {
      for (const parameter of operation.parameters ?? []) {
        expect([name, parameter.name, parameter.schema["type"], parameter.description?.length > 10]).toEqual([
          name,
          parameter.name,
          expect.stringMatching(/^(string|integer|number|boolean)$/),
          true,
        ]);
      }
    }
  });

  test("has its parameters with the types that they have to a client", () => {
    const parameters = (path: string, method: string) =>
      document.paths[path]?.[method]?.parameters?.map(({ name, schema, description }) => [name, schema, description.length > 10]);
    expect(parameters("/items", "get")).toEqual([
      ["limit", { type: "integer", minimum: 1, maximum: 200, default: 50 }, true],
      ["sort", { type: "string", enum: ["id", "-id", "createdAt", "-createdAt", "updatedAt", "-updatedAt"], default: "id" }, true],
      ["after", { type: "string", pattern: expect.any(String), maxLength: 8000 }, true],
      ["updatedSince", { type: "string" }, true],
      ["count", { type: "boolean" }, true],
      ["name", { type: "string", maxLength: 1000 }, true],
      ["minPrice", { type: "number" }, true],
      ["maxPrice", { type: "number" }, true],
    ]);
    expect(document.paths["/items"]?.["get"]?.responses["200"]?.headers).toHaveProperty("Link");
    expect(parameters("/dead-letters/{queue}", "get")?.slice(1, 3)).toEqual([
      ["limit", { type: "integer", minimum: 1, maximum: 200, default: 50 }, true],
      ["after", { type: "integer", minimum: 0, maximum: 999_999_999_999_999 }, true],
    ]);
    for (const method of ["get", "put", "patch", "delete"]) {
      expect(parameters("/items/{id}", method)).toEqual([
        ["id", { type: "integer", minimum: 1, maximum: 999_999_999_999_999 }, true],
        ["If-Match", { type: "string", pattern: expect.any(String) }, true],
        ["If-None-Match", { type: "string", pattern: expect.any(String) }, true],
        method === "get"
          ? ["version", { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER }, true]
          : ["Idempotency-Key", { type: "string", pattern: expect.any(String) }, true],
      ]);
    }
    for (const path of ["/items", "/items/bulk"])
      expect(parameters(path, "post")).toEqual([["Idempotency-Key", { type: "string", pattern: expect.any(String) }, true]]);
  });

  test("says where an answer has an ETag or a Location", () => {
    const headers = (path: string, method: string, status: string) =>
      Object.keys(document.paths[path]?.[method]?.responses[status]?.headers ?? {});
    expect(headers("/items", "post", "201")).toEqual(["Location", "ETag"]);
    for (const [method, status] of [
      ["get", "200"],
      ["get", "304"],
      ["put", "200"],
      ["patch", "200"],
    ] as const)
      expect([method, headers("/items/{id}", method, status)]).toEqual([method, ["ETag"]]);
    expect(document.paths["/items/{id}"]?.["get"]?.responses["304"]?.content).toBeUndefined();
  });
});

test("a token is asked for where one is set, but not of health checks", () => {
  // Without tokens one may be sent: the same client works with a service that has some.
  expect([document.security, guarded.security]).toEqual([[{}, { token: [] }], [{ token: [] }]]);
  for (const one of [document, guarded]) {
    expect(one.components.securitySchemes).toMatchObject({ token: { type: "http", scheme: "bearer" } });
    for (const { path, operation } of operations(one)) {
      expect([path, operation.security]).toEqual([path, path === "/" || path.startsWith("/health") ? [] : undefined]);
    }
  }
});

test("every example of a body is taken, and every answer looks like its example and its schema", async () => {
  const order = ["post", "get", "put", "patch", "delete", "restore"];
  const place = ({ path, method }: { path: string; method: string }) => order.indexOf(path.endsWith("/restore") ? "restore" : method);
  const all = operations(document)
    .filter(({ path }) => /^\/(items|health)/.test(path))
    .sort((a, b) => place(a) - place(b));
  for (const { name, path, method, operation } of all) {
    const [type, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    const request = new Request(`http://localhost${path.replace("{id}", "1")}`, {
      method: method.toUpperCase(),
      ...(type && body && { body: JSON.stringify(body.example), headers: { "content-type": type } }),
    });
    const response = await open.handle(request);
    const answer = operation.responses[response.status];
    expect([name, response.status < 300, answer !== undefined]).toEqual([name, true, true]);
    const media = answer?.content?.["application/json"];
    if (!media) continue;
    const json = (await response.json()) as Json;
    const reference = media.schema["$ref"] as string | undefined;
    const schema = reference ? document.components.schemas[reference.split("/").at(-1) ?? ""] : media.schema;
    expect([name, Object.keys(json)]).toEqual([name, Object.keys(media.example as Json)]);
    const always = (schema?.["required"] ?? Object.keys(schema?.["properties"] as Json)) as readonly string[];
    expect([name, Object.keys(json)]).toEqual([name, Object.keys(schema?.["properties"] as Json).filter((key) => always.includes(key))]);
  }
});

test("says where the service is, under which license, and which resources there are", () => {
  expect(document.servers).toEqual([{ url: "/", description: expect.any(String) }]);
  expect(document.info).toMatchObject({ license: { identifier: "MIT" }, contact: { name: expect.any(String) } });
  expect(document.info["description"]).toContain("`items`. Events: `item.created`, `item.updated`, `item.deleted`.");
});

test("resources come first, then what else a project has, then the service's own routes", async () => {
  const hello = defineRoute(() => new Elysia().get("", () => "Hello", { detail: { tags: ["greetings"] } }));
  const plain = defineRoute(() => new Elysia().get("", () => "Hello"));
  const added: LoadedRoute[] = [
    { file: "hello.ts", path: "/hello", route: hello },
    { file: "zero.ts", path: "/zero", route: plain },
  ];
  const { paths, tags } = await documentOf(await build([], null, [...(await loadRoutes(join(root, "routes"))), ...added]));
  // The project may have others of its own by now.
  const expectOrder = (found: readonly (string | undefined)[], expected: readonly string[]) =>
    expect([...new Set(found)].filter((one) => expected.some((name) => name === one))).toEqual([...expected]);
  expectOrder(tags?.map(({ name }) => name) ?? [], ["items", "greetings", "events", "dead letters", "replays", "health", "metrics"]);
  const places = Object.keys(paths).map((path) => path.split("/")[1]);
  expectOrder(places, ["items", "zero", "hello", "events", "dead-letters", "replays", "health", "metrics"]);
});

test("every tag of the service's own routes is described", () => {
  expect(document.tags?.filter(({ description }) => description === undefined)).toEqual([]);
});

test("times have their format, and answers look like it", () => {
  const times = [...objects(document.components.schemas)].filter(([key]) => /(At|timestamp|confirmedBy|Failure)$/.test(key));
  expect(times.length).toBeGreaterThan(5);
  for (const [key, schema] of times) {
    const [alternative = schema] = (schema["anyOf"] ?? []) as Json[];
    expect([key, alternative]).toMatchObject([key, { type: "string", format: "date-time" }]);
  }
  expect(JSON.stringify(document)).not.toContain("x-documented-as");
});

test("401 and 429 say how to go on, as the service does", async () => {
  const headers = (path: string, status: string) => Object.keys(guarded.paths[path]?.["get"]?.responses[status]?.headers ?? {});
  expect([headers("/items", "401"), headers("/items", "429"), headers("/events/stream", "429")]).toEqual([
    ["WWW-Authenticate"],
    ["Retry-After"],
    ["Retry-After"],
  ]);
  const refused = await (await build(["a long secret"], null)).handle(new Request("http://localhost/items"));
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="warren"']);
});

test("a parameter that may be left out has no example: Swagger UI would send it", () => {
  for (const { name, operation } of operations(document)) {
    for (const parameter of operation.parameters ?? []) {
      if (!parameter.required) expect([name, parameter.name, "example" in parameter]).toEqual([name, parameter.name, false]);
    }
  }
});

test("a body has its defaults in words: a generated client need not send what has one", () => {
  const bodies = operations(document).flatMap(({ operation }) => Object.values(operation.requestBody?.content ?? {}));
  expect(bodies.length).toBeGreaterThan(4);
  expect([...objects([bodies, document.components.schemas["ItemInput"]])].filter(([, schema]) => "default" in schema)).toEqual([]);
  expect(document.components.schemas["ItemInput"]?.["properties"]).toMatchObject({
    price: { description: expect.stringContaining("Default: `null`.") },
  });
});

test("a stream says that a page cannot show it", () => {
  expect(document.paths["/events/stream"]?.["get"]?.description).toContain("Follow it with `curl --no-buffer`");
});

test("a body's schema says what is needed and that nothing else is taken", () => {
  expect(document.components.schemas["ItemInput"]).toMatchObject({ type: "object", required: ["name"], additionalProperties: false });
  expect(document.components.schemas["ItemPatch"]).toMatchObject({ type: "object", additionalProperties: false });
  expect(document.components.schemas["ItemPatch"]?.["required"]).toBeUndefined();
});

test("a route that says little of itself is documented validly, and one that says more is believed", async () => {
  const stream = { description: "A stream.", content: { "text/event-stream": { schema: { type: "string" as const } } } };
  const route = defineRoute(() =>
    new Elysia()
      .get("", () => "Hello")
      .get("/text", () => "Hello", { response: Type.String({ description: "A greeting." }) })
      .get("/stream", () => "data:\n\n", { detail: { responses: { 200: stream } } })
      .get("/both", () => ({}), {
        response: { 200: Type.Object({ title: Type.String() }), 404: Type.Object({}, { title: "not a name" }) },
      }),
  );
  const app = await build([], null, [{ file: "hello.ts", path: "/hello", route }]);
  const { paths } = await documentOf(app);
  const answers = (path: string) => {
    const { 500: _, ...own } = paths[path]?.["get"]?.responses ?? {};
    return own;
  };
  expect(answers("/hello")).toEqual({ 200: { description: "OK" } });
  expect(answers("/hello/text")).toEqual({
    200: { description: "A greeting.", content: { "text/plain": { schema: { type: "string", description: "A greeting." } } } },
  });
  expect(answers("/hello/stream")).toEqual({ 200: stream });
  expect(answers("/hello/both")).toMatchObject({
    200: { description: "OK", content: { "application/json": { schema: { properties: { title: { type: "string" } } } } } },
    404: { description: "Not Found", content: { "application/json": { schema: { type: "object", title: "not a name" } } } },
  });
});
