// Hostile paths, headers and bodies reach no file, no prototype, no header of an answer, and no forbidden route.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import items from "../routes/items";
import replays from "../src/built-in/replays";
import { root } from "./support/processes";
import { type ListeningApi, listeningApi } from "./support/raw";

setDefaultTimeout(30_000);

const token = "token-to-read";
let open: ListeningApi;
let guarded: ListeningApi;
beforeAll(async () => {
  open = listeningApi();
  await open.send("POST", "/items", { name: "x" });
  const routes = [
    { file: "items.ts", path: "/items", route: items },
    { file: "replays.ts", path: "/replays", route: replays },
  ];
  guarded = listeningApi({
    routes,
    config: {
      apiTokens: [
        { token, scope: "read" },
        { token: "token-of-admin", scope: "admin" },
      ],
    },
  });
});
afterAll(() => Promise.all([open.close(), guarded.close()]));

describe("a path", () => {
  const climbs = [
    "/../../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/package.json",
    "/..%5c..%5cpackage.json",
    "/....//package.json",
  ];
  const inside = ["/.env", "/.git/config", "/package.json", "/data/warren.db", "/src/main.ts"];
  test.each([...climbs, ...inside])("leads to no file: %s", async (path) => {
    for (const prefix of ["", "/swagger", "/problems", "/items", "/items/1"]) {
      const answer = await open.request(`GET ${prefix}${path} HTTP/1.1`);
      expect([prefix, [404, 422].includes(answer.status), answer.body.startsWith('{"type":"/problems/')]).toEqual([prefix, true, true]);
    }
  });

  test("that is an absolute URL is routed by its path, and its host is ignored", async () => {
    expect((await open.request("GET http://evil.example/items/1 HTTP/1.1")).status).toBe(200);
    expect((await open.request("GET http://evil.example/nothing HTTP/1.1")).status).toBe(404);
    expect((await guarded.request("GET http://localhost/health/../items HTTP/1.1")).status).toBe(401);
    expect((await guarded.request("GET http://health/items HTTP/1.1")).status).toBe(401);
    expect((await open.request("OPTIONS * HTTP/1.1")).status).toBe(400);
  });

  test.each(["/items/%0d%0aset-cookie:%20a=b", "/%0d%0aset-cookie:%20a=b", "/items?limit=1%0d%0aset-cookie:%20a=b"])(
    "puts no line into the head of an answer: %s",
    async (path) => {
      for (const method of ["GET", "OPTIONS", "POST"]) {
        const answer = await open.request(`${method} ${path} HTTP/1.1`, "Content-Length: 0");
        expect(answer.status).toBeLessThan(500);
        expect(answer.head).not.toContain("set-cookie");
      }
    },
  );
});

describe("a token that may only read", () => {
  const as = `Authorization: Bearer ${token}`;
  test.each([
    "GET /replays HTTP/1.1",
    "GET /replays/ HTTP/1.1",
    "GET /replays?x HTTP/1.1",
    "GET /replays#x HTTP/1.1",
    "GET /items/../replays HTTP/1.1",
    "GET /health/../replays HTTP/1.1",
    "GET /health/%2e%2e/replays HTTP/1.1",
    "GET /health\\..\\replays HTTP/1.1",
    "GET //replays HTTP/1.1",
    "GET /./replays HTTP/1.1",
    "GET /%72eplays HTTP/1.1",
    "GET /Replays HTTP/1.1",
    "GET /replays;/health HTTP/1.1",
    "GET /replays%00 HTTP/1.1",
    "GET http://localhost/replays HTTP/1.1",
    "GET http://localhost/health?/../replays HTTP/1.1",
    "HEAD /replays HTTP/1.1",
    "HEAD /health/../replays HTTP/1.1",
    "POST /replays HTTP/1.1",
    "DELETE /items/1 HTTP/1.1",
    "PATCH /items/1 HTTP/1.1",
  ])("%s: gets at nothing more", async (line) => {
    const answer = await guarded.request(
      line,
      as,
      "X-HTTP-Method-Override: GET",
      "X-Original-URL: /health/live",
      "X-Rewrite-URL: /health/live",
    );
    // /health?… is open, and has nothing there.
    expect([line, [403, 404].includes(answer.status)]).toEqual([line, true]);
    const stranger = await guarded.request(
      line,
      "X-Original-URL: /health/live",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Host: localhost",
    );
    expect([line, [401, 404].includes(stranger.status)]).toEqual([line, true]);
  });

  test("two Authorization headers are no token", async () => {
    expect((await guarded.request("GET /replays HTTP/1.1", as, "Authorization: Bearer token-of-admin")).status).toBe(401);
    expect((await guarded.request("GET /replays HTTP/1.1", "Authorization: Bearer token-of-admin", as)).status).toBe(401);
  });

  test("tokens are compared as digests, in constant time, each with all", async () => {
    const source = await Bun.file(join(root, "src/http/access.ts")).text();
    expect(source).toContain("known.filter((each) => crypto.timingSafeEqual(each.digest, given))");
    // Nothing else looks at what was given, and no search ends at the first that fits.
    expect(source.match(/\bgiven\b/g)).toHaveLength(2);
    expect(source).not.toMatch(/\.(find|some|includes|indexOf|has|get)\([^)]*given/);
  });
});

describe("X-Request-Id", () => {
  test.each(["a%0d%0aset-cookie:%20a=b", 'a","level":"fatal', "a b", "{jndi:ldap://x}", "\u001b[31m", "../../x\\", "<script>"])(
    "that could do harm is not taken over: %j",
    async (id) => {
      const answer = await open.request("GET /nothing HTTP/1.1", `X-Request-Id: ${id}`);
      if (answer.status === 400) return;
      expect(answer.status).toBe(404);
      expect(answer.text).not.toContain(id);
      expect(answer.head).toMatch(/^x-request-id: [0-9a-f]{8}-[0-9a-f]{4}-7/m);
    },
  );

  test("with a bare CR, or folded: 400", async () => {
    for (const id of ["a\rset-cookie: a=b", "a\r\n set-cookie: a=b"]) {
      const answer = await open.request("GET /nothing HTTP/1.1", `X-Request-Id: ${id}`);
      expect([answer.status, answer.head.includes("set-cookie")]).toEqual([400, false]);
    }
  });

  test("twice: neither is taken", async () => {
    const answer = await open.request("GET /nothing HTTP/1.1", "X-Request-Id: one", "X-Request-Id: two");
    expect(answer.head).toMatch(/^x-request-id: [0-9a-f]{8}-/m);
  });
});

describe("prototypes", () => {
  afterAll(() => expect(Object.keys(Object.prototype)).toEqual([]));
  const untouched = () => {
    const plain: Record<string, unknown> = {};
    expect([plain["polluted"], plain["price"], plain["status"]]).toEqual([undefined, undefined, undefined]);
  };

  test.each([
    '{"name":"x","__proto__":{"polluted":1}}',
    '{"__proto__":{"name":"x","polluted":1}}',
    '{"name":"x","constructor":{"prototype":{"polluted":1}}}',
    '{"name":"x","prototype":{"polluted":1}}',
    '{"name":"x","\\u005f_proto__":{"polluted":1}}',
    '{"name":"x","toString":null,"hasOwnProperty":1,"valueOf":1,"toJSON":1,"then":1}',
  ])("by a body: %s", async (body) => {
    for (const [method, path, type] of [
      ["POST", "/items", "application/json"],
      ["PUT", "/items/1", "application/json"],
      ["PATCH", "/items/1", "application/merge-patch+json"],
    ] as const) {
      const answer = await open.send(method, path, body, { "content-type": type });
      expect([method, answer.status]).toEqual([method, 422]);
    }
    untouched();
    expect((await open.send("GET", "/items/1")).json()).toMatchObject({ name: "x", version: 1 });
  });

  test.each([
    "__proto__[polluted]=1",
    "__proto__.polluted=1",
    "__proto__=1",
    "constructor[prototype][polluted]=1",
    "constructor=1",
    "toString=1",
    "limit[__proto__]=1",
  ])("by a query: %s", async (query) => {
    expect((await open.send("GET", `/items?${query}`)).status).toBeOneOf([200, 422]);
    untouched();
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("are no path and no kind of problem: %s", async (name) => {
    expect((await open.send("GET", `/${name}`)).status).toBe(404);
    expect((await open.send("GET", `/problems/${name}`)).status).toBe(404);
    expect((await open.send("GET", `/items/${name}`)).status).toBe(422);
  });
});

describe("a body", () => {
  const types = ["application/json; charset=utf-16", "application/json;charset=latin1", "APPLICATION/JSON"];
  test.each(types)("of the type %s is read as UTF-8, which JSON is", async (type) => {
    const answer = await open.send("POST", "/items", '{"name":"Käse"}', { "content-type": type });
    expect([201, 415]).toContain(answer.status);
    if (answer.status === 201) expect(answer.json()).toMatchObject({ name: "Käse" });
  });

  test("that is compressed is not unpacked, however large it would be", async () => {
    const bomb = Bun.gzipSync(Buffer.from(`{"name":"x","description":"${"x".repeat(20_000_000)}"}`));
    expect(bomb.length).toBeLessThan(100_000);
    const request = new Request("http://localhost/items", {
      method: "POST",
      body: bomb,
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    });
    expect([400, 415]).toContain((await open.app.handle(request)).status);
  });
});
