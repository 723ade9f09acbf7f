// Sign-in to the console, and what its session may do.
import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { openApi, type TestApi } from "./support/api";

const tokens = [
  { token: "reader-token", scope: "read" },
  { token: "admin-token", scope: "admin" },
] as const;
const page = { "x-warren-console": "1", "sec-fetch-site": "same-origin" };
const item = { name: "Sample Item", price: 9.99 };

let api: TestApi;
beforeEach(() => {
  api = openApi({ config: { apiTokens: tokens } });
});
afterEach(async () => {
  setSystemTime();
  await api.close();
});

/** Signs in, and returns the headers of the page's requests. */
async function signedIn(token: string): Promise<Record<string, string>> {
  const { status, headers } = await api.send("POST", "/console/session", { token });
  expect(status).toBe(204);
  return { ...page, cookie: (headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
}

describe("signing in", () => {
  test("sets a cookie that only the console gets, and that is not the token", async () => {
    const { headers } = await api.send("POST", "/console/session", { token: "admin-token" });
    const cookie = headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^warren-console=\d{13}\.[\w-]{43}; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(cookie).not.toContain("admin-token");
  });

  test("is refused for what is not a token, and after some attempts for a while", async () => {
    const wrong = () => api.send("POST", "/console/session", { token: "admin-tokem" });
    const first = await wrong();
    expect([first.status, first.headers.get("set-cookie")]).toEqual([401, null]);
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await wrong()).status);
    expect(statuses).toContain(429);
    expect((await api.send("POST", "/console/session", { token: "" })).status).toBe(422);
  });

  test("over https, the cookie is for https: a trusted proxy says so", async () => {
    const proxied = openApi({ config: { apiTokens: tokens, trustedProxies: 1 } });
    const headers = { "x-forwarded-proto": "https" };
    const cookieOf = async (from: TestApi) =>
      (await from.send("POST", "/console/session", { token: "admin-token" }, headers)).headers.get("set-cookie");
    expect(await cookieOf(proxied)).toEndWith("; Secure");
    expect(await cookieOf(api)).not.toContain("Secure");
    await proxied.close();
  });

  test("signing out removes the cookie", async () => {
    const { headers } = await api.send("DELETE", "/console/session", undefined, await signedIn("admin-token"));
    expect(headers.get("set-cookie")).toBe("warren-console=; HttpOnly; SameSite=Strict; Max-Age=0");
  });
});

describe("a session", () => {
  test("has the scope of its token: one to read sees, and an admin acts", async () => {
    const [reader, admin] = [await signedIn("reader-token"), await signedIn("admin-token")];
    const statuses = async (headers: Record<string, string>) => [
      (await api.send("GET", "/console/api/items", undefined, headers)).status,
      (await api.send("POST", "/console/api/items", item, headers)).status,
    ];
    expect(await statuses(reader)).toEqual([200, 403]);
    expect(await statuses(admin)).toEqual([200, 201]);
    expect((await api.events()).map(({ actor }) => actor)).toEqual(["admin"]);
  });

  test("passes queries on, and answers as the API does", async () => {
    const admin = await signedIn("admin-token");
    await api.send("POST", "/console/api/items", item, admin);
    const answer = await api.send("GET", "/console/api/items?limit=1&sort=id", undefined, admin);
    expect(answer.json()).toMatchObject({ items: [{ id: 1, name: "Sample Item" }] });
    expect((await api.send("GET", "/console/api/nothing", undefined, admin)).json()).toMatchObject({
      status: 404,
      detail: "No route matches GET /nothing.",
    });
  });

  test("uses its own token, whatever else the request sends", async () => {
    const headers = { ...(await signedIn("reader-token")), authorization: "Bearer admin-token" };
    expect((await api.send("POST", "/console/api/items", item, headers)).status).toBe(403);
  });

  test("without one, what a proxy sends for the user is taken", async () => {
    expect((await api.send("GET", "/console/api/items", undefined, { ...page, authorization: "Bearer reader-token" })).status).toBe(200);
    expect((await api.send("GET", "/console/api/items", undefined, page)).status).toBe(401);
  });

  test("ends after 12 hours, and when its cookie is changed", async () => {
    const admin = await signedIn("admin-token");
    const status = async (cookie: string) => (await api.send("GET", "/console/api/items", undefined, { ...admin, cookie })).status;
    const { cookie = "" } = admin;
    const [, expiry = "", proof = ""] = /=(\d+)\.(.*)/.exec(cookie) ?? [];
    expect(await status(`warren-console=${Number(expiry) + 1000}.${proof}`)).toBe(401);
    expect(await status(`warren-console=${expiry}.${proof.slice(0, -2)}AA`)).toBe(401);
    expect(await status(`other=1; ${cookie}; more=2`)).toBe(200);
    setSystemTime(Number(expiry) - 1);
    expect(await status(cookie)).toBe(200);
    setSystemTime(Number(expiry));
    expect(await status(cookie)).toBe(401);
  });

  test("ends with its token", async () => {
    const admin = await signedIn("admin-token");
    const without = openApi({ config: { apiTokens: tokens.filter(({ scope }) => scope === "read") } });
    expect((await without.send("GET", "/console/api/items", undefined, admin)).status).toBe(401);
    await without.close();
  });

  test("is not for the API itself", async () => {
    const { cookie = "" } = await signedIn("admin-token");
    expect((await api.send("GET", "/items", undefined, { ...page, cookie })).status).toBe(401);
  });
});

describe("only the console's page may use it", () => {
  test.each([
    ["a page of another port of this host", { "sec-fetch-site": "same-site" }],
    ["a page of another site", { "sec-fetch-site": "cross-site" }],
    ["a link or an address that was typed", { "sec-fetch-site": "none" }],
    ["a form or an image, which can send no such header", { "x-warren-console": "" }],
  ] as [string, Record<string, string>][])("not %s", async (_, change) => {
    const headers: Record<string, string> = { ...(await signedIn("admin-token")), ...change };
    if (headers["x-warren-console"] === "") Reflect.deleteProperty(headers, "x-warren-console");
    const answers = [
      await api.send("GET", "/console/api/items", undefined, headers),
      await api.send("POST", "/console/api/items", item, headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(await api.events()).toEqual([]);
  });

  test("an address without https names no site: the page's own header says it then", async () => {
    const { "sec-fetch-site": _, ...headers } = await signedIn("admin-token");
    expect((await api.send("GET", "/console/api/items", undefined, headers)).status).toBe(200);
  });

  test("no preflight allows the page's header, even where all origins may use the API", async () => {
    const open = openApi({ config: { apiTokens: tokens, corsOrigins: ["*"] } });
    const headers = { origin: "https://app.example.com", "access-control-request-headers": "x-warren-console" };
    const answer = await open.send("OPTIONS", "/console/api/items", undefined, headers);
    expect(answer.headers.get("access-control-allow-headers") ?? "").not.toContain("x-warren-console");
    await open.close();
  });
});

describe("CONSOLE", () => {
  const html = { accept: "text/html,application/xhtml+xml" };

  test("read: it shows, and changes nothing, whatever the token may", async () => {
    const reading = openApi({ config: { console: "read" } });
    expect((await reading.send("GET", "/console/api/items", undefined, page)).status).toBe(200);
    expect((await reading.send("POST", "/console/api/items", item, page)).json()).toMatchObject({
      status: 403,
      detail: "The console only shows: CONSOLE=read.",
    });
    expect((await reading.send("POST", "/items", item)).status).toBe(201);
    await reading.close();
  });

  test("off: there is none", async () => {
    const off = openApi({ config: { console: "off" } });
    for (const path of ["/console", "/console/", "/console/icon.svg", "/console/api/items"]) {
      expect([path, (await off.send("GET", path, undefined, { ...page, ...html })).status]).toEqual([path, 404]);
    }
    expect((await off.send("POST", "/console/session", { token: "x" })).status).toBe(404);
    expect((await off.send("GET", "/", undefined, html)).json()).not.toHaveProperty("links.console");
    await off.close();
  });
});

test("/ sends a browser to the console, and gives a script links, without a token", async () => {
  const browser = await api.send("GET", "/", undefined, { accept: "text/html,application/xhtml+xml" });
  expect([browser.status, browser.headers.get("location"), browser.headers.get("vary")]).toEqual([302, "console/", "Accept"]);
  const script = await api.send("GET", "/");
  expect(script.json()).toMatchObject({
    name: "Warren",
    links: { items: "items", events: "events", openapi: "swagger/json", console: "console/" },
  });
});

test("a project's own / takes its place", async () => {
  const { Elysia } = await import("elysia");
  const own = openApi({ routes: [{ file: "index.ts", path: "/", route: () => new Elysia().get("", () => "mine") }] });
  expect((await own.send("GET", "/", undefined, { accept: "text/html" })).text).toBe("mine");
  await own.close();
});
