// Every kind of problem has a page at its `type`, and a row in the README.
import { afterAll, expect, test } from "bun:test";
import { everyKind } from "../src/http/problem-kinds";
import { openApi } from "./support/api";
import { pageText } from "./support/doc-pages";

const api = openApi();
afterAll(() => api.close());

test.each(everyKind.map((kind) => [`/problems/${kind.name}`, kind] as const))("%s", async (type, { status, title, meaning }) => {
  const answer = await api.send("GET", type);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
  expect(answer.text).toBe(`${status} ${title}\n\n${meaning}\n`);
});

test("the documentation lists them all", () => {
  const page = pageText("docs/reference/http.md");
  const rows = [...page.matchAll(/^\| (\d{3}) +\| `\/problems\/([a-z-]+)` +\| \S/gm)].map(([, status, name]) => [Number(status), name]);
  expect(rows).toEqual(everyKind.map(({ status, name }) => [status, name as string]));
});

test("no two kinds share a name, and an unknown name is 404", async () => {
  expect(new Set(everyKind.map(({ name }) => name)).size).toBe(everyKind.length);
  expect((await api.send("GET", "/problems/nothing")).status).toBe(404);
});

test("a problem's type leads to its page", async () => {
  const { type } = (await api.send("GET", "/nothing")).json<{ type: string }>();
  expect((await api.send("GET", type)).text).toStartWith("404 ");
});
