// action(): a POST on a record that is not CRUD, with all that a change through crud() has.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { treaty } from "@elysiajs/eden";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { action, Conflict } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, mistake, Nullable, oneOf } from "warren/resource";
import type { Dependencies } from "warren/route";
import { type Answer, openApi, type TestApi } from "./support/api";
import type { OpenApi } from "./support/openapi";

const repair = defineResource({
  name: "repair",
  fields: { door: Type.String(), note: Nullable(Type.String()) },
  managed: { state: { schema: oneOf("open", "closed", "lost"), initial: "open" } },
  derived: { length: { schema: Type.Integer(), from: ({ door }) => door.length } },
  events: { closed: { reason: Type.String(), hours: Type.Integer() }, noticed: {} },
  check: ({ state, note }) => (state === "closed" && note === null ? [mistake("/note", "Say what was done.")] : []),
  example: { door: "front", note: null },
});

const close = action(repair, {
  summary: "Close a repair",
  body: Type.Object({ reason: Type.String({ minLength: 1 }), hours: Type.Integer({ default: 1 }) }),
  change({ state }, { reason }, { actor }) {
    if (state === "closed") throw new Conflict("The repair is closed already.", [mistake("/state", "Must be open.")]);
    return { state: "closed", note: reason === "none" ? null : `${reason} ${actor?.subject ?? ""}`.trim() };
  },
  emit: { closed: ({ reason, hours }) => ({ reason, hours }) },
});
const notice = action(repair, { emit: { noticed: () => ({}) } });
const open = action(repair, { change: () => ({ state: "open" as const }) });
const withRepairs = [
  { file: "repairs.ts", path: "/repairs", route: crud(repair) },
  { file: "repairs/[id]/close.ts", path: "/repairs/:id/close", route: close },
  { file: "repairs/[id]/notice.ts", path: "/repairs/:id/notice", route: notice },
  { file: "repairs/[id]/open.ts", path: "/repairs/:id/open", route: open },
];

let api: TestApi;
beforeEach(async () => {
  api = openApi({ resources: [repair], routes: withRepairs });
  await api.send("POST", "/repairs", repair.example);
});
afterEach(() => api.close());

const closing = (body: unknown = { reason: "oiled" }, headers = {}) => api.send("POST", "/repairs/1/close", body, headers);
const types = async () => (await api.events()).map(({ type }) => type);
const state = async () => (await api.send("GET", "/repairs/1")).json();
const told = ({ status, json }: Answer) => ({ status, ...json<object>() });

describe("an action", () => {
  test("changes managed and other fields, emits with the defaults of the body, and answers with the record and its ETag", async () => {
    const answer = await closing();
    const record = { id: 1, door: "front", note: "oiled", state: "closed", length: 5, version: 2 };
    expect(told(answer)).toMatchObject({ status: 200, ...record });
    expect([answer.text, answer.headers.get("etag")]).toEqual([(await api.send("GET", "/repairs/1")).text, expect.stringMatching(/^"2-/)]);
    const [, updated, closed] = await api.events();
    expect(updated).toMatchObject({ type: "repair.updated", repair: record });
    expect(closed).toMatchObject({ type: "repair.closed", repair: record, data: { reason: "oiled", hours: 1 } });
  });

  test("without `change` only emits: the record stays as it is", async () => {
    const before = await state();
    expect(told(await api.send("POST", "/repairs/1/notice"))).toEqual({ status: 200, ...(before as object) });
    expect(await types()).toEqual(["repair.created", "repair.noticed"]);
  });

  test("publishes events later, and cancels them, in the commit of its change", async () => {
    const remind = action(repair, {
      body: Type.Object({ in: Type.String() }),
      later: { noticed: ({ id, body }) => ({ after: body.in, key: `notice:${id}` }) },
    });
    const forget = action(repair, { cancel: ({ id }) => [`notice:${id}`] });
    const decided = action(repair, { change: () => ({ state: "lost" as const }), cancel: ({ id }) => [`notice:${id}`] });
    const own = openApi({
      resources: [repair],
      routes: [
        { file: "repairs.ts", path: "/repairs", route: crud(repair) },
        { file: "repairs/[id]/remind.ts", path: "/repairs/:id/remind", route: remind },
        { file: "repairs/[id]/forget.ts", path: "/repairs/:id/forget", route: forget },
        { file: "repairs/[id]/lose.ts", path: "/repairs/:id/lose", route: decided },
      ],
    });
    try {
      await own.send("POST", "/repairs", repair.example);
      const keys = async () => (await own.store.timers.list({ limit: 9 })).map(({ key, event, subject }) => [key, event, subject]);
      expect((await own.send("POST", "/repairs/1/remind", { in: "3d" })).json()).toMatchObject({ id: 1, version: 1 });
      expect((await own.send("POST", "/repairs/1/remind", { in: "2d" })).status).toBe(200);
      expect(await keys()).toEqual([["notice:1", "noticed", 1]]);
      expect((await own.send("POST", "/repairs/9/forget")).status).toBe(404);
      expect((await own.send("POST", "/repairs/1/forget")).status).toBe(200);
      expect(await keys()).toEqual([]);
      await own.send("POST", "/repairs/1/remind", { in: "2d" });
      expect((await own.send("POST", "/repairs/1/lose")).json()).toMatchObject({ state: "lost", version: 2 });
      expect([await keys(), (await own.events()).map(({ type }) => type)]).toEqual([[], ["repair.created", "repair.updated"]]);
    } finally {
      await own.close();
    }
  });

  test("that changes nothing publishes nothing", async () => {
    expect(told(await api.send("POST", "/repairs/1/open"))).toMatchObject({ status: 200, version: 1 });
    expect(await types()).toEqual(["repair.created"]);
  });

  test("carries the request's id, as a change through crud() does", async () => {
    await closing({ reason: "oiled" }, { "x-request-id": "closing-1" });
    const [, , closed] = await api.events();
    expect(await api.store.find(String(closed?.["id"]))).toMatchObject({ requestId: "closing-1", requestedAt: expect.any(Number) });
  });
});

test("the schema of an event's data serves as a body", async () => {
  const record = action(repair, { body: repair.events.closed, emit: { closed: (data) => data } });
  const own = openApi({
    resources: [repair],
    routes: [...withRepairs.slice(0, 1), { file: "x.ts", path: "/repairs/:id/record", route: record }],
  });
  await own.send("POST", "/repairs", repair.example);
  const send = (body: object) => own.send("POST", "/repairs/1/record", body);
  expect([(await send({ reason: "a", hours: 1 })).status, (await send({ reason: 1, hours: 1 })).status]).toEqual([200, 422]);
  expect((await own.events())[1]).toMatchObject({ type: "repair.closed", data: { reason: "a", hours: 1 } });
  await own.close();
});

describe("is refused, and changes nothing", () => {
  test.each([
    [
      "with a Conflict that it throws",
      async () => closing().then(() => closing()),
      {
        status: 409,
        type: "/problems/conflict",
        detail: "The repair is closed already.",
        errors: [{ pointer: "/state", detail: "Must be open." }],
      },
    ],
    [
      "for a record that does not exist",
      () => api.send("POST", "/repairs/7/close", { reason: "x" }),
      { status: 404, detail: "There is no repair 7." },
    ],
    [
      "by the resource's rule",
      () => closing({ reason: "none" }),
      { status: 422, errors: [{ pointer: "/note", detail: "Say what was done." }] },
    ],
    [
      "for an id that is not one",
      () => api.send("POST", "/repairs/x/close", { reason: "x" }),
      { status: 422, errors: [{ pointer: "/id" }] },
    ],
    [
      "for a body that is not valid",
      () => closing({ reason: "", other: 1 }),
      { status: 422, errors: [{ pointer: "/other" }, { pointer: "/reason" }] },
    ],
    ["for no body", () => api.send("POST", "/repairs/1/close"), { status: 415 }],
    ["for a body that is not JSON", () => closing("{", { "content-type": "application/json" }), { status: 400 }],
    [
      "for a body where it has none",
      () => api.send("POST", "/repairs/1/notice", {}),
      { status: 422, errors: [{ pointer: "", detail: "Expected no body" }] },
    ],
    ["for a query", () => api.send("POST", "/repairs/1/notice?now=1"), { status: 422, errors: [{ pointer: "/now" }] }],
    ["if the record is in another state than If-Match says", () => closing({ reason: "x" }, { "if-match": '"other"' }), { status: 412 }],
    ["if If-None-Match names its state", () => closing({ reason: "x" }, { "if-none-match": "*" }), { status: 412 }],
    ["for a malformed If-Match", () => closing({ reason: "x" }, { "if-match": "other" }), { status: 400 }],
    ["for another method", () => api.send("PUT", "/repairs/1/close", { reason: "x" }), { status: 405 }],
  ])("%s", async (_, send, problem) => {
    const answer = await send();
    expect(told(answer)).toMatchObject(problem as object);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect((await types()).filter((type) => type === "repair.closed").length).toBe(problem.status === 409 ? 1 : 0);
  });

  test.each([
    ["is async", async () => ({ state: "lost" }), "returned a promise; it must not be async"],
    ["returns nothing", () => undefined, "must return an object with the fields to change"],
    ["sets a field that does not exist", () => ({ stat: "lost" }), 'sets "stat", which is not a field that code can set'],
    ["sets a derived field", () => ({ length: 9 }), 'sets "length", which is not a field that code can set'],
    ["sets the version", () => ({ version: 9 }), 'sets "version", which is not a field that code can set'],
  ])("with 500 if its change %s, and the log says why", async (_, change, why) => {
    const wrong = openApi({
      resources: [repair],
      routes: [
        ...withRepairs.slice(0, 1),
        { file: "x.ts", path: "/repairs/:id/wrong", route: action(repair, { change: change as () => object }) },
      ],
    });
    await wrong.send("POST", "/repairs", repair.example);
    const { status, json } = await wrong.send("POST", "/repairs/1/wrong");
    expect([status, json<{ detail?: string }>().detail, (await wrong.events()).length]).toEqual([500, undefined, 1]);
    expect(wrong.lines.map(({ error }) => error)).toContain(`A change of the repair 1 ${why}.`);
    await wrong.close();
  });
});

test("a whole record with some fields changed is a patch, too", async () => {
  const whole = openApi({
    resources: [repair],
    routes: [
      ...withRepairs.slice(0, 1),
      { file: "x.ts", path: "/repairs/:id/lose", route: action(repair, { change: (current) => ({ ...current, state: "lost" as const }) }) },
    ],
  });
  await whole.send("POST", "/repairs", repair.example);
  expect((await whole.send("POST", "/repairs/1/lose")).json()).toMatchObject({ state: "lost", version: 2, length: 5 });
  await whole.close();
});

test("the change gets the actor of the request, who is in the events; a token that may only read is refused", async () => {
  const [ada, eve] = ["a".repeat(32), "e".repeat(32)];
  const apiTokens = [
    { name: "ada", token: ada, scope: "write" },
    { name: "eve", token: eve, scope: "read" },
  ] as const;
  const secured = openApi({ resources: [repair], routes: withRepairs, config: { apiTokens } });
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  await secured.send("POST", "/repairs", repair.example, as(ada));
  const close = (headers = {}) => secured.send("POST", "/repairs/1/close", { reason: "oiled" }, headers);
  expect([(await close()).status, (await close(as(eve))).status]).toEqual([401, 403]);
  expect((await close(as(ada))).json()).toMatchObject({ state: "closed", note: "oiled ada" });
  expect((await secured.events()).slice(1)).toMatchObject([{ actor: "ada" }, { actor: "ada" }]);
  await secured.close();
});

describe("with an Idempotency-Key, the same request again", () => {
  const key = { "idempotency-key": "k1" };

  test("gets the first answer, also when the record has changed since or is gone", async () => {
    const first = await closing({ reason: "oiled" }, key);
    const whole = ({ status, text, headers }: Answer) => [status, text, headers.get("etag"), headers.get("content-type")];
    for (const meanwhile of [undefined, () => api.send("POST", "/repairs/1/open"), () => api.send("DELETE", "/repairs/1")]) {
      await meanwhile?.();
      expect(whole(await closing({ reason: "oiled" }, key))).toEqual(whole(first));
    }
    expect((await types()).filter((type) => type === "repair.closed").length).toBe(1);
  });

  test("at the same time changes once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.send("POST", "/repairs/1/notice", undefined, key)));
    expect([new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, answers[0]?.status]).toEqual([1, 200]);
    expect(await types()).toEqual(["repair.created", "repair.noticed"]);
  });

  test("with another body is 422, and after a refusal the key is free", async () => {
    expect((await closing({ reason: "none" }, key)).status).toBe(422);
    expect((await closing({ reason: "oiled" }, key)).status).toBe(200);
    expect(told(await closing({ reason: "painted" }, key))).toMatchObject({ status: 422, type: "/problems/idempotency-key-reused" });
    // Another action is another path.
    expect((await api.send("POST", "/repairs/1/notice", undefined, key)).status).toBe(200);
  });
});

describe("a wrong declaration is refused at the start", () => {
  test.each([
    [{}, 'An action on "repair" has none of `change`, `transaction`, `emit`, `later` and `cancel`; add one of them.'],
    [
      { change: () => ({}), transaction: async () => ({}) },
      'An action on "repair" has both `change` and `transaction`; remove one of them.',
    ],
    [
      { emit: { lost: () => ({}) } },
      'An action on "repair" emits "lost", which the resource does not declare in `events`. Declared: closed, noticed.',
    ],
    [
      { emit: { noticed: () => ({}) }, body: Type.Object({ at: Type.Date() }) },
      'An action on "repair": in the body, the field "at" is of the kind "Date", which is not a JSON type',
    ],
    [{ emit: { noticed: () => ({}) }, body: Type.String() }, 'An action on "repair": the body must be an object, such as'],
  ])("%#", (options, message) => {
    expect(() => action(repair, options as never)).toThrow(message);
  });

  test("a path without the parameter :id", () => {
    const open = () => openApi({ resources: [repair], routes: [{ file: "repairs/close.ts", path: "/repairs/close", route: close }] });
    expect(open).toThrow(
      "POST /repairs/close of routes/repairs/close.ts needs the path parameter :id. Put the file into a folder named [id].",
    );
  });
});

test("OpenAPI: under the resource's tag, with summary, events, headers, body and problems", async () => {
  const { paths } = (await api.send("GET", "/swagger/json")).json<OpenApi>();
  const operation = paths["/repairs/{id}/close"]?.["post"];
  expect(operation).toMatchObject({
    tags: ["repairs"],
    summary: "Close a repair",
    description: "Publishes repair.updated, unless nothing changes; repair.closed.",
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: { required: ["reason"], additionalProperties: false },
          example: { reason: "text", hours: 1 },
        },
      },
    },
  });
  expect(operation?.parameters?.map(({ name }) => name)).toEqual(["id", "If-Match", "If-None-Match", "Idempotency-Key"]);
  expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(["200", "404", "409", "412", "422"]));
  expect(paths["/repairs/{id}/notice"]?.["post"]).toMatchObject({ summary: "Change a repair", description: "Publishes repair.noticed." });
  expect(paths["/repairs/{id}/notice"]?.["post"]).not.toHaveProperty("requestBody");
});

test("the typed client knows body, record and problems", async () => {
  const typed = (dependencies: Dependencies) =>
    new Elysia()
      .use(new Elysia({ prefix: "/repairs" }).use(crud(repair)(dependencies)))
      .use(new Elysia({ prefix: "/repairs/:id/close" }).use(close(dependencies)))
      .use(new Elysia({ prefix: "/repairs/:id/notice" }).use(notice(dependencies)));
  const fetcher = (async (url: string, init: RequestInit) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const answer = await api.send(init.method ?? "GET", new URL(url).pathname, init.body ?? undefined, headers);
    return new Response(answer.text, { status: answer.status, headers: answer.headers });
  }) as typeof fetch;
  const client = treaty<ReturnType<typeof typed>>("http://test", { fetcher, parseDate: false });
  const { data, error } = await client.repairs({ id: "1" }).close.post({ reason: "oiled", hours: 2 });
  const closed: "open" | "closed" | "lost" | undefined = data?.state;
  expect([closed, error]).toEqual(["closed", null]);
  const again = await client.repairs({ id: "1" }).close.post({ reason: "oiled", hours: 2 });
  expect(again.error?.status === 409 && again.error.value.type).toBe("/problems/conflict");
  expect((await client.repairs({ id: "1" }).notice.post()).data?.id).toBe(1);
  // @ts-expect-error a reason is a text
  const wrong = () => client.repairs({ id: "1" }).close.post({ reason: 1, hours: 2 });
  expect(typeof wrong).toBe("function");
});
