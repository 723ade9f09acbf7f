// When the service itself fails: the client learns that, and nothing more; the log learns why.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { StoreUnavailable } from "../src/store/errors";
import type { Store } from "../src/store/store";
import { openApi, storeWith, type TestApi } from "./support/api";

let api: TestApi;
afterEach(() => api.close());

const secret = "password=s3cret at /var/lib/warren";
const requests: [string, string, unknown?][] = [
  ["GET", "/items"],
  ["POST", "/items", { name: "x" }],
  ["GET", "/items/1"],
  ["PUT", "/items/1", { name: "x" }],
  ["PATCH", "/items/1", { name: "x" }],
  ["DELETE", "/items/1"],
];

/** A store whose every method fails with this. */
function failing(error: unknown): (store: Store) => Store {
  const fail = () => Promise.reject(error);
  return (store) => storeWith(store, { insert: fail, update: fail, remove: fail, get: fail, list: fail, check: fail });
}

describe("an unexpected error is 500, and leaks nothing", () => {
  test("from every route", async () => {
    api = openApi({ wrap: failing(new TypeError(secret)) });
    for (const [method, path, body] of requests) {
      const answer = await api.send(method, path, body);
      expect([answer.status, answer.headers.get("content-type")]).toEqual([500, "application/problem+json"]);
      const requestId = answer.headers.get("x-request-id");
      expect(requestId).toBeString();
      expect(api.lines.at(-1)?.["requestId"]).toBe(requestId);
      expect(answer.json()).toEqual({ type: "/problems/internal", title: "Internal server error", status: 500, requestId });
    }
    expect(api.lines).toHaveLength(requests.length);
    expect(api.lines[0]).toMatchObject({
      level: "error",
      msg: "Request failed with an unexpected error",
      method: "GET",
      path: "/items",
      error: secret,
      stack: expect.stringContaining("http-failures.test.ts"),
    });
  });

  test.each([
    ["text", secret],
    ["a number", 42],
    ["an object", { status: 200, message: secret }],
    ["an error with a status", Object.assign(new Error(secret), { status: 418, code: "X" })],
  ])("when what is thrown is %s", async (_, thrown) => {
    api = openApi({
      routes: [
        {
          file: "bad.ts",
          path: "/bad",
          route: () =>
            new Elysia().get("", () => {
              throw thrown;
            }),
        },
      ],
    });
    const answer = await api.send("GET", "/bad");
    expect([answer.status, answer.text]).toEqual([500, expect.not.stringContaining("s3cret")]);
    expect(api.lines).toMatchObject([{ level: "error", msg: "Request failed with an unexpected error" }]);
  });
});

describe("a store that cannot do its work is 503", () => {
  beforeEach(() => {
    api = openApi({ wrap: failing(new StoreUnavailable(`SQLITE_FULL: ${secret}`)) });
  });

  test.each(requests)("%s %s", async (method, path, body) => {
    const answer = await api.send(method, path, body);
    expect([answer.status, answer.headers.get("content-type"), answer.headers.get("retry-after")]).toEqual([
      503,
      "application/problem+json",
      "1",
    ]);
    expect(answer.json()).toEqual({
      type: "/problems/unavailable",
      title: "Service unavailable",
      status: 503,
      detail: "The store is not available. Nothing was changed. Try again.",
      requestId: answer.headers.get("x-request-id"),
    });
    expect(api.lines).toMatchObject([
      { requestId: answer.headers.get("x-request-id"), level: "error", method, path, error: `SQLITE_FULL: ${secret}` },
    ]);
  });

  test("the process says that it is alive, and that it is not ready", async () => {
    expect((await api.send("GET", "/health/live")).json()).toEqual({ status: "live" });
    const ready = await api.send("GET", "/health/ready");
    expect([ready.status, ready.json()]).toEqual([503, expect.objectContaining({ detail: "Cannot write to the store." })]);
  });
});
