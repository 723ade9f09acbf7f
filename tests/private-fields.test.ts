// `private`: fields that are in the record, and in nothing that leaves the service.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { action } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, type EventOf, Nullable, type RecordOf } from "warren/resource";
import { defineRoute } from "warren/route";
import { asyncApiDocument } from "../src/docs/asyncapi";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { openApi, type TestApi } from "./support/api";

const secret = "Hunter2";
const user = defineResource({
  name: "user",
  fields: {
    email: Type.String({ maxLength: 100 }),
    password: Type.String({ minLength: 3 }),
    pin: Nullable(Type.String()),
    boss: Nullable(Type.Integer()),
  },
  managed: { salt: { schema: Type.String(), initial: `salt-${secret}` }, logins: { schema: Type.Integer(), initial: 0 } },
  derived: { hasPin: { schema: Type.Boolean(), from: ({ pin }) => pin !== null } },
  check: ({ password }, { previous }) => (previous && password === "old" ? [{ pointer: "/password", detail: "Too old." }] : []),
  private: ["password", "pin", "salt"],
  filters: { email: "exact" },
  sort: ["email"],
  search: ["email"],
  unique: ["email"],
  references: { boss: { to: "user" } },
  events: { greeted: { words: Type.String() } },
  example: { email: "ada@example.com", password: "correct horse", pin: null, boss: null },
});

const own = defineRoute(({ storeFor, system }) =>
  new Elysia()
    .get("/mine/:id", async ({ request, params: { id } }) => (await storeFor(request).get(user, Number(id)))?.json ?? "")
    .get("/check/:id", async ({ params: { id } }) => {
      const { password } = JSON.parse((await system.get(user, Number(id)))?.json ?? "{}") as { password: string };
      return password === secret ? "right" : "wrong";
    }),
);

let api: TestApi;
beforeEach(() => {
  api = openApi({
    resources: [user],
    routes: [
      { file: "users.ts", path: "/users", route: crud(user) },
      {
        file: "users/[id]/greet.ts",
        path: "/users/:id/greet",
        route: action(user, { change: ({ logins }) => ({ logins: logins + 1 }), emit: { greeted: () => ({ words: "Hello" }) } }),
      },
      {
        file: "users/[id]/visit.ts",
        path: "/users/:id/visit",
        route: action(user, { transaction: async (_tx, { logins, password }) => ({ logins: logins + (password === secret ? 1 : 100) }) }),
      },
      { file: "own.ts", path: "/own", route: own },
    ],
  });
});
afterEach(() => api.close());

const ada = { email: "ada@example.com", password: secret, pin: `1${secret}` };
const stored = async (id: number) => JSON.parse((await api.store.get(user, id))?.json ?? "{}") as object;

test("no answer, event, history or line of the log has them; the record does", async () => {
  const answers = [await api.send("POST", "/users", ada, { "idempotency-key": "one" })];
  const call = async (...request: Parameters<TestApi["send"]>) => {
    const answer = await api.send(...request);
    expect([request, answer.status < 300]).toEqual([request, true]);
    answers.push(answer);
  };
  await call("POST", "/users", ada, { "idempotency-key": "one" });
  await call("POST", "/users/bulk", [{ ...ada, email: "eve@example.com", boss: 1 }]);
  await call("POST", "/users/1/greet");
  await call("POST", "/users/1/visit", undefined, { "idempotency-key": "visit" });
  await call("POST", "/users/1/visit", undefined, { "idempotency-key": "visit" });
  await call("PUT", "/users/1", { email: "ada2@example.com" });
  await call("PATCH", "/users/1", { email: "ada@example.com" });
  for (const path of [
    "/users",
    "/users?sort=email&count=true",
    "/users?email=ada@example.com",
    "/users?search=ada",
    "/users?expand=boss",
    "/users/2?expand=boss",
    "/users/1",
    "/users/1?version=1",
    "/users/1/history",
    "/events",
    "/own/mine/1",
    "/swagger/json",
  ])
    await call("GET", path);
  await call("DELETE", "/users/2");
  expect(answers.filter(({ text }) => text.includes(secret)).map(({ text }) => text)).toEqual([]);
  expect((await api.store.log.read(0, 1000)).filter(({ body }) => body.includes(secret))).toEqual([]);
  expect(api.lines.filter((line) => JSON.stringify(line).includes(secret))).toEqual([]);
  expect(await stored(1)).toMatchObject({
    email: "ada@example.com",
    password: secret,
    pin: `1${secret}`,
    salt: `salt-${secret}`,
    hasPin: true,
    logins: 2,
  });
  expect((await api.send("GET", "/own/check/1")).text).toBe("right");
});

test("clients set them; who replaces a record without them keeps them", async () => {
  await api.send("POST", "/users", ada);
  expect((await api.send("POST", "/users", { email: "x@example.com" })).json()).toMatchObject({
    status: 422,
    errors: [{ pointer: "/password" }],
  });
  expect((await api.send("PUT", "/users/1", { email: "b@example.com" })).json()).toMatchObject({ version: 2, hasPin: true });
  expect((await api.send("PUT", "/users/1", { email: "b@example.com", pin: null })).json()).toMatchObject({ version: 3, hasPin: false });
  expect((await api.send("PATCH", "/users/1", { password: "new one" })).json()).toMatchObject({ version: 4 });
  expect(await stored(1)).toMatchObject({ password: "new one", pin: null });
  // The same again changes nothing; a rule sees them, and managed ones stay with the service.
  expect((await api.send("PATCH", "/users/1", { password: "new one" })).json()).toMatchObject({ version: 4 });
  expect((await api.send("PATCH", "/users/1", { password: "old" })).json()).toMatchObject({
    status: 422,
    errors: [{ pointer: "/password" }],
  });
  expect((await api.send("PATCH", "/users/1", { salt: "x" })).status).toBe(422);
});

test("a deleted record comes back only if it can do without them", async () => {
  await api.send("POST", "/users", ada);
  await api.send("DELETE", "/users/1");
  const refused = await api.send("POST", "/users/1/restore");
  expect([refused.status, refused.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer)]).toEqual([
    422,
    ["/password"],
  ]);
});

test("an ETag is that of what is shown, for every method", async () => {
  await api.send("POST", "/users", ada);
  for (const [method, path, body] of [
    ["PATCH", "/users/1", { pin: "2" }],
    ["PUT", "/users/1", { email: "c@example.com" }],
    ["POST", "/users/1/greet"],
    ["POST", "/users/1/visit"],
    ["DELETE", "/users/1"],
  ] as const) {
    const etag = (await api.send("GET", "/users/1")).headers.get("etag") ?? "";
    expect([method, path, (await api.send(method, path, body, { "if-match": etag })).status < 300]).toEqual([method, path, true]);
  }
});

test("documents, examples and types do not have them, and a consumer reads the events", async () => {
  const catalogue = new Catalogue([user]);
  const document = JSON.stringify(asyncApiDocument(catalogue, []));
  expect([document.includes('"password"'), document.includes('"salt"')]).toEqual([false, false]);
  const { components } = (await api.send("GET", "/swagger/json")).json<{
    components: { schemas: Record<string, { properties: object; required?: string[] }> };
  }>();
  expect(Object.keys(components.schemas["User"]?.properties ?? {})).not.toContain("password");
  expect(components.schemas["UserInput"]?.required).toContain("password");
  expect(components.schemas["UserReplacement"]?.required).not.toContain("password");
  await api.send("POST", "/users", ada);
  const [event] = await api.store.log.read(0, 1);
  expect(parseEvent(event?.body ?? "", catalogue)).toMatchObject({ ok: true });
  const record: RecordOf<typeof user> = { id: 1, email: "", boss: null, logins: 0, hasPin: true, version: 1, createdAt: "", updatedAt: "" };
  const typed: EventOf<typeof user>["user"] = record;
  // @ts-expect-error A private field is not part of an event.
  expect(typed.password).toBeUndefined();
});

describe("what would show them is refused", () => {
  const base = {
    name: "thing",
    fields: { title: Type.String({ maxLength: 9 }), other: Nullable(Type.Integer()) },
    private: ["title"],
    example: { title: "x", other: null },
  } as const;
  test.each<[object, string]>([
    [{ private: ["nothing"] }, 'the private field "nothing" does not exist.'],
    [{ filters: { title: "exact" } }, "title"],
    [{ sort: ["title"] }, "title"],
    [{ search: ["title"] }, "title"],
    [{ unique: ["title"] }, 'the unique key "title" does not name a field.'],
    [{ private: ["other"], references: { other: { to: "thing" } } }, 'the reference "other" does not name a field.'],
    [{ owner: "who", private: ["who"] }, 'the field "who" cannot be private'],
  ])("%j", (options, why) => {
    expect(() => defineResource({ ...base, ...options } as never)).toThrow(why);
  });

  test("a misspelt field does not compile", () => {
    // @ts-expect-error There is no such field.
    expect(() => defineResource({ ...base, private: ["titel"] })).toThrow("titel");
  });
});
