// Who made a change: from the token of the request to the rule, the event, the timeline and the log.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource, mistake } from "warren/resource";
import { defineRoute } from "warren/route";
import events from "../src/built-in/events";
import timeline from "../src/built-in/timeline";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { openApi, type TestApi } from "./support/api";

const memo = defineResource({
  name: "memo",
  fields: { text: Type.String() },
  check: ({ text }, { actor }) => {
    if (text === "boom") throw new Error("boom");
    return actor && text.startsWith("secret") && !actor.scopes.includes("admin") ? [mistake("/text", `Not for ${actor.subject}.`)] : [];
  },
  example: { text: "Milk" },
});

const own = defineRoute(({ storeFor, system }) =>
  new Elysia()
    .post("/mine", async ({ request }) => (await storeFor(request).insert(memo, { text: "mine" })).json)
    .post("/nobody", async () => (await system.insert(memo, { text: "nobody's" })).json),
);

let api: TestApi;
beforeAll(() => {
  api = openApi({
    resources: [memo],
    routes: [
      { file: "memos.ts", path: "/memos", route: crud(memo) },
      { file: "own.ts", path: "/own", route: own },
      { file: "events.ts", path: "/events", route: events },
      { file: "timeline.ts", path: "/events/:id/timeline", route: timeline },
    ],
    config: {
      apiTokens: [
        { scope: "write", name: "ada", token: "a-token-of-ada" },
        { scope: "write", name: "ada", token: "a-new-token-of-ada" },
        { scope: "admin", token: "a-token-without-a-name" },
      ],
    },
  });
});
afterAll(() => api.close());

const send = (method: string, path: string, body?: unknown, token = "a-token-of-ada") =>
  api.send(method, path, body, { authorization: `Bearer ${token}` });
const last = async () => (await api.store.log.read(0, 1000)).at(-1);
const actor = async () => (JSON.parse((await last())?.body ?? "{}") as { actor?: string }).actor;

test("every change over HTTP has the name of the token: at the end of the event, after the keys that were there before", async () => {
  expect((await send("POST", "/memos", { text: "Milk" })).status).toBe(201);
  const { body = "" } = (await last()) ?? {};
  expect(Object.keys(JSON.parse(body))).toEqual(["id", "type", "version", "memo", "timestamp", "actor"]);
  expect(body).toEndWith(',"actor":"ada"}');
  expect(parseEvent(body, new Catalogue([memo]))).toMatchObject({ ok: true, event: { actor: "ada" } });

  for (const [method, path, sent] of [
    ["PUT", "/memos/1", { text: "Bread" }],
    ["PATCH", "/memos/1", { text: "Eggs" }],
    ["POST", "/memos/bulk", [{ text: "Butter" }]],
    ["DELETE", "/memos/1", undefined],
    ["POST", "/own/mine", undefined],
  ] as const) {
    const before = await api.store.log.end();
    await send(method, path, sent, "a-new-token-of-ada");
    expect([path, await api.store.log.end(), await actor()]).toEqual([path, before + 1, "ada"]);
  }
});

test("a token without a name is called by its scope; what the service does itself has no actor", async () => {
  await send("POST", "/memos", { text: "Milk" }, "a-token-without-a-name");
  expect(await actor()).toBe("admin");
  await send("POST", "/own/nobody");
  expect((await last())?.body).not.toContain('"actor"');
  const { events } = (await send("GET", "/events?limit=200")).json<{ events: { event: { actor?: string } }[] }>();
  expect(events.slice(-2).map(({ event }) => event.actor)).toEqual(["admin", undefined]);
});

test("the rule knows the actor and what they may do", async () => {
  expect((await send("POST", "/memos", { text: "secret" })).json()).toMatchObject({
    status: 422,
    errors: [{ pointer: "/text", detail: "Not for ada." }],
  });
  expect((await send("POST", "/memos", { text: "secret" }, "a-token-without-a-name")).status).toBe(201);
});

test("the timeline of an event and the log line of a failure name the actor", async () => {
  await send("POST", "/memos", { text: "Milk" });
  const path = `/events/${(await last())?.id}/timeline`;
  expect((await send("GET", path, undefined, "a-token-without-a-name")).json()).toMatchObject({ request: { actor: "ada" } });
  expect((await send("POST", "/memos", { text: "boom" })).status).toBe(500);
  expect(api.lines.at(-1)).toMatchObject({ actor: "ada", error: 'The check of "memo" threw Error: boom' });
});

test.each([5, "", null, "x".repeat(256), {}])("an event with the actor %j is not one that a consumer can read", async (given) => {
  await send("POST", "/memos", { text: "Milk" });
  const body = JSON.stringify({ ...(JSON.parse((await last())?.body ?? "") as object), actor: given });
  expect(parseEvent(body, new Catalogue([memo]))).toMatchObject({
    ok: false,
    reason: "not-an-event",
    detail: expect.stringContaining("/actor: "),
  });
});
