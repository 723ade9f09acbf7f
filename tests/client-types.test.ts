// Types of bulks and conditional requests in the typed client. That this file compiles is half of the test.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { treaty } from "@elysiajs/eden";
import type { App } from "../src/routes.generated";
import { openApi, type TestApi } from "./support/api";

let api: TestApi;
beforeAll(() => {
  api = openApi();
});
afterAll(() => api.close());

const fetcher = (async (url: string, init: RequestInit) => {
  const { status, headers, text } = await api.send(
    init.method ?? "GET",
    new URL(url).pathname,
    init.body ?? undefined,
    Object.fromEntries(new Headers(init.headers)),
  );
  return new Response([204, 304].includes(status) ? null : text, { status, headers });
}) as typeof fetch;
const { items } = treaty<App>("http://test", { fetcher });

test("a bulk: the records that go in, and what became of each", async () => {
  const { data, error } = await items.bulk.post([{ name: "a", price: 1 }, { name: "" }], { headers: { "idempotency-key": "k1" } });
  if (error) throw error;
  const told = data.results.map((result): string => (result.status === 201 ? result.item.name : (result.problem.detail ?? "")));
  expect([data.created, data.failed, told]).toEqual([1, 1, ["a", "The element is not valid."]]);
  // @ts-expect-error a price is a number
  const wrong = () => items.bulk.post([{ name: "a", price: "1" }]);
  expect(typeof wrong).toBe("function");
});

test("a change that comes too late: the problem", async () => {
  const { data } = await items.post({ name: "a" });
  const { error } = await items({ id: String(data?.id) }).patch({ price: 2 }, { headers: { "if-match": '"other"' } });
  expect([error?.status, error?.status === 412 && error.value.type]).toEqual([412, "/problems/precondition-failed"]);
});
