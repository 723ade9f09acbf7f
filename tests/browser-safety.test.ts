// Headers for browsers, so that no page of another site can use the API or its documentation.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { openApi, type TestApi } from "./support/api";

const page = "https://app.example.com";
const stranger = "https://evil.example";

const closed = openApi();
const listed = openApi({ config: { corsOrigins: [page, "http://localhost:5173"], apiTokens: [{ token: "a-token", scope: "admin" }] } });
const all = openApi({ config: { corsOrigins: ["*"] } });
afterAll(() => Promise.all([closed, listed, all].map((api) => api.close())));

const corsOf = (headers: Headers) => [...headers].filter(([name]) => name.startsWith("access-control-")).map(([name]) => name);
const preflight = (api: TestApi, path: string, origin: string, method = "POST") =>
  api.send("OPTIONS", path, undefined, {
    origin,
    "access-control-request-method": method,
    "access-control-request-headers": "authorization,content-type",
  });

describe("CORS", () => {
  test("closed by default: no answer says a word of it", async () => {
    for (const origin of [page, "null"]) {
      for (const answer of [await closed.send("GET", "/items", undefined, { origin }), await preflight(closed, "/items", origin)]) {
        expect(corsOf(answer.headers)).toEqual([]);
        expect(answer.headers.get("vary")).toBeNull();
      }
    }
  });

  test("a path that is not there is 404 for a preflight, which has no token, and the page may read that", async () => {
    for (const path of ["/nothing", "/items/1/more", "/dead-letters/a/b"]) {
      const answer = await preflight(listed, path, page);
      expect([answer.status, answer.headers.get("access-control-allow-origin"), answer.headers.get("www-authenticate")]).toEqual([
        404,
        page,
        null,
      ]);
      expect(answer.json()).toMatchObject({ type: "/problems/not-found", detail: `No route matches ${path}.` });
    }
    expect((await preflight(listed, "/nothing", stranger)).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("a page that is listed may ask, with a token, and read the answer", async () => {
    const answer = await preflight(listed, "/items", page);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      allow: "GET, HEAD, OPTIONS, POST",
      vary: "Origin",
      "access-control-allow-origin": page,
      "access-control-allow-methods": "GET, HEAD, OPTIONS, POST",
      "access-control-allow-headers": expect.stringMatching(/^Authorization, Content-Type, .*If-Match/),
      "access-control-max-age": "600",
    });
    const read = await listed.send("GET", "/items", undefined, { origin: page, authorization: "Bearer a-token" });
    expect(Object.fromEntries(read.headers)).toMatchObject({
      "access-control-allow-origin": page,
      "access-control-expose-headers": expect.stringMatching(/ETag.*X-Request-Id/),
      vary: "Origin",
    });
  });

  test("it may read why it was refused, too", async () => {
    for (const [path, status] of [
      ["/items", 401],
      ["/nothing", 401],
    ] as const) {
      const answer = await listed.send("GET", path, undefined, { origin: page });
      expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([status, page]);
    }
  });

  test.each([
    stranger,
    "null",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    `${page}/`,
    "",
  ])("any other page may not: %s", async (origin) => {
    for (const answer of [
      await listed.send("GET", "/items", undefined, { origin, authorization: "Bearer a-token" }),
      await preflight(listed, "/items", origin),
    ]) {
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      // A cache must not give this answer to a page that is listed.
      expect(answer.headers.get("vary")).toBe("Origin");
    }
  });

  test("`*` lets every page in", async () => {
    const answer = await all.send("GET", "/items", undefined, { origin: stranger });
    expect([answer.headers.get("access-control-allow-origin"), answer.headers.get("vary")]).toEqual(["*", null]);
  });

  test("never with cookies", async () => {
    for (const api of [listed, all]) {
      expect(corsOf((await preflight(api, "/items", page)).headers)).not.toContain("access-control-allow-credentials");
    }
  });
});

describe("a change that a page of another site has the browser send", () => {
  let api: TestApi;
  let done = 0;
  beforeAll(() => {
    // The worst case: a route that needs no body, and so no preflight.
    const route = () =>
      new Elysia()
        .get("", () => "read")
        .post("", () => {
          done += 1;
          return "done";
        });
    api = openApi({ routes: [{ file: "press.ts", path: "/press", route }], config: { corsOrigins: [page] } });
  });
  afterAll(() => api.close());

  test.each([
    ["cross-site", stranger, 403],
    ["same-site", "https://other.example.com", 403],
    ["cross-site", "null", 403],
    ["cross-site", page, 200],
    ["same-origin", "http://localhost:3000", 200],
    ["none", undefined, 200],
    [undefined, undefined, 200],
  ])("Sec-Fetch-Site: %s from %s: %d", async (site, origin, status) => {
    const before = done;
    const answer = await api.send("POST", "/press", undefined, { ...(site && { "sec-fetch-site": site }), ...(origin && { origin }) });
    expect([answer.status, done - before]).toEqual([status, status === 200 ? 1 : 0]);
    if (status === 403) expect(answer.json()).toMatchObject({ type: "/problems/forbidden" });
    expect((await api.send("GET", "/press", undefined, { ...(site && { "sec-fetch-site": site }) })).status).toBe(200);
  });
});

describe("a service for this machine alone, without tokens", () => {
  const api = openApi({ config: { allowedHosts: [] } });
  afterAll(() => api.close());

  test.each(["localhost", "localhost:3000", "LOCALHOST:3000", "warren.localhost", "127.0.0.1:3000", "192.0.2.1", "[::1]:3000"])(
    "answers to %s",
    async (host) => {
      expect((await api.send("GET", "/items", undefined, { host })).status).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil",
    "evil#localhost",
    "",
  ])("but not to %j, which may be a page's own name for 127.0.0.1", async (host) => {
    const answer = await api.send("GET", "/items", undefined, { host });
    expect([answer.status, answer.json()]).toEqual([421, expect.objectContaining({ type: "/problems/misdirected" })]);
  });

  test("names in ALLOWED_HOSTS are answered to as well, with any port; with tokens they alone", async () => {
    const apiTokens = [{ token: "a-token", scope: "admin" }] as const;
    for (const config of [{ allowedHosts: ["api.example.com"] }, { allowedHosts: ["api.example.com"], apiTokens }]) {
      const named = openApi({ config });
      const status = async (host: string) =>
        (await named.send("GET", "/items", undefined, { host, authorization: "Bearer a-token" })).status;
      for (const host of ["api.example.com", "API.example.com:8080", "localhost:3000", "10.0.0.7"])
        expect([host, await status(host)]).toEqual([host, 200]);
      for (const host of ["evil.example", "api.example.com.evil.example", "x.api.example.com", "api.example.com:80:80"])
        expect([host, await status(host)]).toEqual([host, 421]);
      await named.close();
    }
  });

  test("with a token it does: the page has none", async () => {
    const answer = await listed.send("GET", "/items", undefined, { host: "evil.example", authorization: "Bearer a-token" });
    expect(answer.status).toBe(200);
  });
});

describe("headers", () => {
  test.each(["/items", "/items/1", "/health/live", "/nothing", "/swagger", "/swagger/json", "/swagger/start.js", "/problems/invalid"])(
    "%s",
    async (path) => {
      const { headers } = await closed.send("GET", path);
      expect(Object.fromEntries(headers)).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'$/),
      });
      for (const name of ["set-cookie", "x-powered-by", "server", "etag"]) expect([name, headers.get(name)]).toEqual([name, null]);
    },
  );

  test("Swagger UI may load and ask its own origin, and run no script of any other", async () => {
    const { headers } = await closed.send("GET", "/swagger");
    const policy = Object.fromEntries((headers.get("content-security-policy") ?? "").split("; ").map((part) => part.split(/ (.*)/)));
    expect(policy).toMatchObject({ "default-src": "'none'", "script-src": "'self'", "connect-src": "'self'", "base-uri": "'none'" });
  });

  test("Cache-Control", async () => {
    const cacheOf = async (path: string, method = "GET", body?: unknown) =>
      (await closed.send(method, path, body)).headers.get("cache-control");
    for (const path of ["/items", "/items/999", "/items/x", "/nothing", "/health/live", "/health/ready"]) {
      expect([path, await cacheOf(path)]).toEqual([path, "no-store"]);
    }
    expect(await cacheOf("/items", "POST", { name: "" })).toBe("no-store");
    expect(await cacheOf("/swagger")).toBe("no-cache");
    expect(await cacheOf("/swagger/swagger-ui.css")).toBe("max-age=3600");
  });

  test("what has an ETag may be kept by its reader, who asks whether it still holds", async () => {
    const tagged = (status: number) => () => new Response(status === 304 ? null : "x", { status, headers: { etag: '"1"' } });
    const route = () =>
      new Elysia()
        .get("/tagged", tagged(200))
        .get("/unchanged", tagged(304))
        .get("/failed", tagged(412))
        .get("/own", () => new Response("x", { headers: { etag: '"1"', "cache-control": "public, max-age=5" } }));
    const api = openApi({ routes: [{ file: "t.ts", path: "/t", route }] });
    const cacheOf = async (path: string) => (await api.send("GET", path)).headers.get("cache-control");
    expect(await Promise.all(["/t/tagged", "/t/unchanged", "/t/failed", "/t/own"].map(cacheOf))).toEqual([
      "private, no-cache",
      "private, no-cache",
      "no-store",
      "public, max-age=5",
    ]);
    await api.close();
  });
});
