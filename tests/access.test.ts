// Tokens and the requests that each allows.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import items from "../routes/items";
import changes from "../src/built-in/changes";
import consumers from "../src/built-in/consumers";
import deadLetters from "../src/built-in/dead-letters";
import metrics from "../src/built-in/metrics";
import replays from "../src/built-in/replays";
import schedules from "../src/built-in/schedules";
import settings from "../src/built-in/settings";
import timeline from "../src/built-in/timeline";
import timers from "../src/built-in/timers";
import { openApi, type TestApi } from "./support/api";

const tokens = { read: "token-to-read", write: "token-to-write", admin: "token-of-admin" } as const;
type Scope = keyof typeof tokens;

let api: TestApi;
let open: TestApi;
beforeAll(() => {
  const routes = [
    { file: "events/[id]/timeline.ts", path: "/events/:id/timeline", route: timeline },
    { file: "items.ts", path: "/items", route: items },
    { file: "dead-letters.ts", path: "/dead-letters", route: deadLetters },
    { file: "metrics.ts", path: "/metrics", route: metrics },
    { file: "replays.ts", path: "/replays", route: replays },
    { file: "schedules.ts", path: "/schedules", route: schedules },
    { file: "timers.ts", path: "/timers", route: timers },
    { file: "consumers.ts", path: "/consumers", route: consumers },
    { file: "status/settings.ts", path: "/status/settings", route: settings },
    { file: "changes.ts", path: "/changes", route: changes },
  ];
  const apiTokens = (["read", "write", "admin"] as const).map((scope) => ({ token: tokens[scope], scope }));
  api = openApi({ routes, config: { apiTokens } });
  open = openApi({ routes });
});
afterAll(async () => {
  await api.close();
  await open.close();
});

const send = (method: string, path: string, authorization?: string, body?: unknown) =>
  api.send(method, path, body, authorization === undefined ? {} : { authorization });
const as = (scope: Scope) => `Bearer ${tokens[scope]}`;

describe("a scope", () => {
  const all: readonly Scope[] = ["read", "write", "admin"];
  test.each([
    ["GET", "/items", undefined, all],
    ["HEAD", "/items", undefined, all],
    ["GET", "/items/1", undefined, all],
    ["GET", "/metrics", undefined, all],
    ["GET", "/nothing", undefined, all],
    ["POST", "/items", { name: "x" }, ["write", "admin"]],
    ["PUT", "/items/1", { name: "x" }, ["write", "admin"]],
    ["PATCH", "/items/1", { name: "x" }, ["write", "admin"]],
    ["DELETE", "/items/1", undefined, ["write", "admin"]],
    ["POST", "/nothing", {}, ["write", "admin"]],
    ["GET", "/dead-letters", undefined, ["admin"]],
    ["HEAD", "/dead-letters", undefined, ["admin"]],
    ["GET", "/dead-letters/", undefined, ["admin"]],
    ["GET", "/dead-letters/audit", undefined, ["admin"]],
    ["POST", "/dead-letters/audit/redrive", {}, ["admin"]],
    ["DELETE", "/dead-letters/audit", undefined, ["admin"]],
    ["GET", "/replays", undefined, ["admin"]],
    ["GET", "/events/x/timeline", undefined, ["admin"]],
    ["HEAD", "/events/x/timeline/", undefined, ["admin"]],
    ["POST", "/replays", {}, ["admin"]],
    ["DELETE", "/replays/some", undefined, ["admin"]],
    ["GET", "/schedules", undefined, ["admin"]],
    ["GET", "/schedules/daily-sales", undefined, ["admin"]],
    ["DELETE", "/schedules/daily-sales", undefined, ["admin"]],
    ["GET", "/timers", undefined, ["admin"]],
    ["GET", "/timers/1", undefined, ["admin"]],
    ["DELETE", "/timers/1", undefined, ["admin"]],
    ["GET", "/consumers", undefined, all],
    ["DELETE", "/consumers/some", undefined, ["admin"]],
    ["GET", "/status/settings", undefined, ["admin"]],
    ["GET", "/status/settings/", undefined, ["admin"]],
    ["POST", "/changes", [], ["admin"]],
  ] as const)("%s %s", async (method, path, body, allowed: readonly string[]) => {
    for (const scope of all) {
      const answer = await send(method, path, as(scope), body);
      expect([scope, answer.status === 403, answer.status === 401]).toEqual([scope, !allowed.includes(scope), false]);
    }
    expect((await send(method, path, undefined, body)).status).toBe(401);
  });

  test("that is too small: 403 says which is needed", async () => {
    const answer = await send("POST", "/items", as("read"), { name: "x" });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      403,
      'Bearer realm="warren", error="insufficient_scope", scope="write"',
    ]);
    expect(answer.json()).toMatchObject({
      type: "/problems/forbidden",
      detail: 'This token lacks the required scope "write".',
      requestId: answer.headers.get("x-request-id"),
    });
    expect((await send("GET", "/replays", as("write"))).headers.get("www-authenticate")).toEndWith('scope="admin"');
  });

  test("is not raised by a header that names another method", async () => {
    for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
      const answer = await api.send("GET", "/items", undefined, { authorization: as("read"), [name]: "DELETE" });
      expect([name, answer.status, Object.keys(answer.json<object>())]).toEqual([name, 200, ["items", "next"]]);
    }
  });
});

describe("no token, or a wrong one: 401 with a challenge (RFC 6750)", () => {
  const invalid = 'Bearer realm="warren", error="invalid_token"';
  test.each([
    [undefined, 'Bearer realm="warren"'],
    ["Bearer", invalid],
    ["Bearer x", invalid],
    [`Basic ${btoa(`user:${tokens.admin}`)}`, invalid],
    [tokens.admin, invalid],
    [`Bearer ${tokens.admin}x`, invalid],
    [`Bearer ${tokens.admin.slice(0, -1)}`, invalid],
    [`Bearer ${tokens.admin.toUpperCase()}`, invalid],
    [`Bearer ${tokens.read},${tokens.admin}`, invalid],
    [`Bearer ${tokens.read} ${tokens.admin}`, invalid],
    [`Bearer ${tokens.read}, Bearer ${tokens.admin}`, invalid],
    [`Bearer admin:${tokens.admin}`, invalid],
    [`Bearer ${createHashOf(tokens.admin)}`, invalid],
  ])("%s", async (authorization, challenge) => {
    const answer = await send("GET", "/items", authorization);
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, challenge]);
    expect(answer.json()).toMatchObject({ type: "/problems/unauthorized", requestId: answer.headers.get("x-request-id") });
  });

  test("the scheme Bearer is case-insensitive, and a token in the URL is ignored", async () => {
    expect((await send("GET", "/items", `bearer   ${tokens.read}`)).status).toBe(200);
    for (const query of ["access_token", "token", "api_token"]) {
      expect((await send("GET", `/items?${query}=${tokens.read}`)).status).toBe(401);
    }
  });
});

test.each(["/", "/console", "/console/", "/health/live", "/health", "/swagger", "/swagger/json", "/problems/invalid"])(
  "%s is open",
  async (path) => {
    expect((await send("GET", path)).status).not.toBe(401);
  },
);

test.each([
  "/healthz",
  "/swaggered",
  "/problemsx",
  "/Health/live",
  "/consoles",
  "//health/live",
  "/items/../items",
  "/health%2Flive",
  "/health/..%2Fitems",
])("%s is not", async (path) => {
  const answer = await send("GET", path);
  // What is still below /health after all may be not found instead.
  expect([path, answer.status]).toEqual([path, path === "/health/..%2Fitems" ? 404 : 401]);
});

test("without tokens all is open", async () => {
  expect((await open.send("GET", "/items")).status).toBe(200);
  expect((await open.send("POST", "/items", { name: "x" })).status).toBe(201);
});

function createHashOf(token: string): string {
  return new Bun.CryptoHasher("sha256").update(token).digest("hex");
}
