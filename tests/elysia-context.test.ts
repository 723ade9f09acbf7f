// Elysia looks at the text of handlers and hooks for what they use of the context, and prepares that for every request.
// One word too many costs microseconds: all headers as an object, a stream of the body, a property for the server.
import { afterAll, expect, test } from "bun:test";
import { openApi } from "./support/api";

const api = openApi();
afterAll(() => api.close());

const costly = /headers\.toJSON|request\.body|defineProperty|parseCookie|parseQuery/g;

test("a route about one record has nothing prepared that it does not use", () => {
  const prepared = api.app.routes
    .filter(({ method, path }) => path === "/items/:id" || (path === "/items" && method === "POST"))
    .map(({ method, path, compile }) => [method, path, String(compile()).match(costly)]);
  expect(prepared).toEqual([
    ["POST", "/items", null],
    ["GET", "/items/:id", null],
    ["PUT", "/items/:id", null],
    ["PATCH", "/items/:id", null],
    ["DELETE", "/items/:id", null],
  ]);
});
