// HEAD, OPTIONS, and the methods that a path does not know; what counts as which path.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { methodsByPath } from "../src/http/methods";
import { type ListeningApi, listeningApi } from "./support/raw";

let api: ListeningApi;
let cancelled: PromiseWithResolvers<void>;
beforeAll(async () => {
  cancelled = Promise.withResolvers();
  const endless = () =>
    new Elysia().get("", () => {
      const body = new ReadableStream({ start: (controller) => controller.enqueue("x"), cancel: () => cancelled.resolve() });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
  const { default: items } = await import("../routes/items");
  const { default: health } = await import("../src/built-in/health");
  api = listeningApi({
    routes: [
      { file: "items.ts", path: "/items", route: items },
      { file: "health.ts", path: "/health", route: health },
      { file: "endless.ts", path: "/endless", route: endless },
    ],
  });
  await api.send("POST", "/items", { name: "x" });
});
afterAll(() => api.close());

describe("HEAD", () => {
  const withoutTheRest = (head: string) =>
    head
      .split("\r\n")
      .filter((line) => !/^(x-request-id|date):/.test(line))
      .sort();

  test.each([
    "/items",
    "/items/1",
    "/items?limit=1",
    "/health/live",
    "/swagger",
    "/swagger/json",
    "/swagger/swagger-ui.css",
    "/problems/invalid",
  ])("%s answers as GET does, without the body", async (path) => {
    const [head, get] = [await api.request(`HEAD ${path} HTTP/1.1`), await api.request(`GET ${path} HTTP/1.1`)];
    expect([head.status, head.body]).toEqual([200, ""]);
    expect(withoutTheRest(head.head)).toEqual(withoutTheRest(get.head));
    expect(head.head).toMatch(/^content-length: [1-9]\d*$/m);
  });

  test.each([
    ["/items/999", 404],
    ["/items/x", 422],
    ["/nothing", 404],
  ])("%s: %d", async (path, status) => {
    const answer = await api.request(`HEAD ${path} HTTP/1.1`);
    expect([answer.status, answer.body]).toEqual([status, ""]);
  });

  test("of a stream without end ends, and so does the stream", async () => {
    const answer = await api.request("HEAD /endless HTTP/1.1");
    expect([answer.status, answer.body]).toEqual([200, ""]);
    await cancelled.promise;
  });
});

describe("OPTIONS", () => {
  test.each([
    ["/items", "GET, HEAD, OPTIONS, POST"],
    ["/items/", "GET, HEAD, OPTIONS, POST"],
    ["/items/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
    ["/items/whatever", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
    ["/health/live", "GET, HEAD, OPTIONS"],
    ["/swagger", "GET, HEAD, OPTIONS"],
  ])("%s: 204, Allow: %s", async (path, allow) => {
    const answer = await api.send("OPTIONS", path);
    expect([answer.status, answer.text, answer.headers.get("allow")]).toEqual([204, "", allow]);
  });

  test.each(["/nothing", "/items/1/more", "//items"])("%s: 404", async (path) => {
    const answer = await api.send("OPTIONS", path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([404, null]);
  });
});

describe("a method that a path does not know: 405 with Allow", () => {
  test.each([
    ["DELETE", "/items", "GET, HEAD, OPTIONS, POST"],
    ["PATCH", "/items/", "GET, HEAD, OPTIONS, POST"],
    ["POST", "/items/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
    ["POST", "/health/live", "GET, HEAD, OPTIONS"],
    ["DELETE", "/swagger/json", "GET, HEAD, OPTIONS"],
    ["PROPFIND", "/items", "GET, HEAD, OPTIONS, POST"],
  ])("%s %s", async (method, path, allow) => {
    const answer = await api.send(method, path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
    expect(answer.json()).toMatchObject({
      type: "/problems/method-not-allowed",
      detail: `${path} does not support ${method}; it supports ${allow}.`,
    });
  });
});

describe("a path", () => {
  test.each([
    ["/items/", 200],
    ["/items/1/", 200],
    ["//items", 404],
    ["/items//1", 404],
    ["/items/1//", 404],
    ["/items%2F1", 404],
    ["/%69tems", 404],
    ["/Items", 404],
    ["/items;v=1", 404],
    ["/items/1%2F", 422],
    ["/items/%31", 200],
    ["/items/1%00", 422],
    ["/items/%zz", 422],
    ["/items/%ff", 422],
  ])("%s: %d", async (path, status) => {
    expect((await api.request(`GET ${path} HTTP/1.1`)).status).toBe(status);
  });

  test("of every kind is known by its routes", () => {
    const routes = [
      ["GET", "/"],
      ["ALL", "/any"],
      ["GET", "/a/:id/b"],
      ["POST", "/files/*"],
      ["GET", "/a.b"],
    ].map(([method = "", path = ""]) => ({ method, path }));
    const methodsAt = methodsByPath(() => routes);
    expect(methodsAt("/")).toEqual(["GET", "HEAD", "OPTIONS"]);
    expect(methodsAt("/any")).toEqual(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]);
    expect(methodsAt("/a/1/b")).toEqual(["GET", "HEAD", "OPTIONS"]);
    expect(methodsAt("/files/x/y")).toEqual(["OPTIONS", "POST"]);
    for (const path of ["/a/1", "/a//b", "/a/1/2/b", "/axb", "/anything"]) expect([path, methodsAt(path)]).toEqual([path, []]);
  });
});
