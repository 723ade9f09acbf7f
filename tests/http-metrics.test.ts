// Requests are measured by method, route and status, and nothing that a client makes up becomes a label.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { defineRoute } from "warren/route";
import metricsRoute from "../src/built-in/metrics";
import { PathPatterns } from "../src/http/path-patterns";
import { StoreUnavailable } from "../src/store/errors";
import { openApi, storeWith, type TestApi } from "./support/api";
import { readScrape, type Scrape } from "./support/scrape";

const name = "warren_http_server_request_duration_seconds";
const route = { file: "metrics.ts", path: "/metrics", route: metricsRoute };

let api: TestApi;
beforeEach(() => {
  api = openApi();
});
afterEach(() => api.close());

async function scrape(): Promise<Scrape> {
  const answer = await api.send("GET", "/metrics");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  return readScrape(answer.text);
}
const counted = async (http_request_method: string, http_route: string, status: number) =>
  (await scrape()).value(`${name}_count`, { http_request_method, http_route, http_response_status_code: String(status) });

describe("a request is counted", () => {
  test("by the pattern of the route and by the status, whatever sets it", async () => {
    await api.send("POST", "/items", { name: "Sample Item" });
    await api.send("POST", "/items/", { name: "Sample Item" });
    for (const id of ["1", "2", "1?fields=all", "99", "none"]) await api.send("GET", `/items/${id}`);
    await api.send("POST", "/items", "no JSON", { "content-type": "text/plain" });
    await api.send("DELETE", "/items/1");
    await api.send("PUT", "/health/live", {});
    expect(await counted("POST", "/items", 201)).toBe(2);
    expect(await counted("GET", "/items/:id", 200)).toBe(2);
    expect(await counted("GET", "/items/:id", 404)).toBe(1);
    expect(await counted("GET", "/items/:id", 422)).toBe(2);
    expect(await counted("POST", "/items", 415)).toBe(1);
    expect(await counted("DELETE", "/items/:id", 204)).toBe(1);
    expect(await counted("PUT", "/health/live", 405)).toBe(1);
    // A scrape sees the scrapes before it.
    expect(await counted("GET", "/metrics", 200)).toBe(7);
  });

  test("when it fails, too", async () => {
    const unavailable = () => Promise.reject(new StoreUnavailable("SQLITE_FULL: database or disk is full"));
    const other = openApi({ wrap: (store) => storeWith(store, { insert: unavailable }) });
    expect((await other.send("POST", "/items", { name: "Sample Item" })).status).toBe(503);
    const { text } = await other.send("GET", "/metrics");
    const labels = { http_request_method: "POST", http_route: "/items", http_response_status_code: "503" };
    expect(readScrape(text).value(`${name}_count`, labels)).toBe(1);
    await other.close();
  });

  test("with the time that it took", async () => {
    const slow = defineRoute(() => new Elysia().get("", () => Bun.sleep(30).then(() => "slow")));
    const other = openApi({ routes: [route, { file: "slow.ts", path: "/slow", route: slow }] });
    await other.send("GET", "/slow");
    const seconds = readScrape((await other.send("GET", "/metrics")).text).value(`${name}_sum`, { http_route: "/slow" });
    expect(seconds).toBeGreaterThan(0.025);
    expect(seconds).toBeLessThan(5);
    await other.close();
  });
});

test("all unknown paths share one label, and so do unsupported methods", async () => {
  for (let index = 0; index < 1000; index += 1) await api.send(index % 2 ? "GET" : "PROPFIND", `/made/up/${index}`);
  const { text, value } = readScrape((await api.send("GET", "/metrics")).text);
  expect(text.split("\n").filter((line) => line.startsWith(`${name}_count{`)).length).toBe(2);
  expect(value(`${name}_count`, { http_request_method: "other", http_route: "other" })).toBe(500);
});

test("invariant 7: metrics that cannot be shown are a 500 of their own; everything else goes on", async () => {
  const broken = openApi();
  Object.defineProperty(broken.metrics, "render", { value: () => Promise.reject(new Error("the registry is broken")) });
  expect((await broken.send("GET", "/metrics")).status).toBe(500);
  expect((await broken.send("POST", "/items", { name: "Sample Item" })).status).toBe(201);
  expect((await broken.events()).length).toBe(1);
  await broken.close();
});

test("a token is asked for, as everywhere else", async () => {
  const guarded = openApi({ config: { apiTokens: [{ token: "a-long-secret-token", scope: "admin" }] } });
  expect((await guarded.send("GET", "/metrics")).status).toBe(401);
  expect((await guarded.send("GET", "/metrics", undefined, { authorization: "Bearer a-long-secret-token" })).status).toBe(200);
  await guarded.close();
});

describe("the pattern of a path", () => {
  const patterns = new PathPatterns([
    "/",
    "/items",
    "/items/:id",
    "/items/bulk",
    "/items/:id/parts/:part",
    "/files/*",
    "/dead-letters/:queue",
  ]);
  test.each([
    ["/", "/"],
    ["/?after=1", "/"],
    ["/items", "/items"],
    ["/items/", "/items"],
    ["/items/7", "/items/:id"],
    ["/items/7/?fields=a/b", "/items/:id"],
    ["/items/bulk", "/items/bulk"],
    ["/items/bulk/parts/2", "/items/:id/parts/:part"],
    ["/items/7/parts", undefined],
    ["/items/7/parts/2/more", undefined],
    ["/files/a/b/c", "/files/*"],
    ["/dead-letters/a.b", "/dead-letters/:queue"],
    ["/other", undefined],
    ["/item", undefined],
  ])("%s is of %s", (path, pattern) => {
    expect(patterns.of(`http://localhost:3000${path}`)).toBe(pattern);
  });
});
