// Every kind of problem has a page at its `type`, and a row in the README.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type ProblemKind, problemKinds } from "../src/problem-kinds";
import { openApi } from "./support/api";
import { root } from "./support/processes";

const api = openApi();
afterAll(() => api.close());

const kinds = Object.entries<ProblemKind>(problemKinds);

test.each(kinds.map(([status, { name }]) => [`/problems/${name}`, status] as const))("%s", async (type, status) => {
  const answer = await api.send("GET", type);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; charset=utf-8"]);
  const { title, meaning } = problemKinds[Number(status) as keyof typeof problemKinds];
  expect(answer.text).toBe(`${status} ${title}\n\n${meaning}\n`);
});

test("the README lists them all", async () => {
  const readme = await Bun.file(join(root, "README.md")).text();
  const rows = [...readme.matchAll(/^\| (\d{3}) +\| `\/problems\/([a-z-]+)` +\| \S/gm)].map(([, status, name]) => [status, name]);
  expect(rows).toEqual(kinds.map(([status, { name }]) => [status as string, name]));
});

test("no two kinds have one name, and a name that is none is 404", async () => {
  expect(new Set(kinds.map(([, { name }]) => name)).size).toBe(kinds.length);
  expect((await api.send("GET", "/problems/nothing")).status).toBe(404);
});

test("a problem's type leads to its page", async () => {
  const { type } = (await api.send("GET", "/nothing")).json<{ type: string }>();
  expect((await api.send("GET", type)).text).toStartWith("404 ");
});
