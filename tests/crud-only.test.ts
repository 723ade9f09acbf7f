// crud() with some of its operations: the others are not there, for clients, in the document and in types.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { treaty } from "@elysiajs/eden";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import type { Dependencies } from "warren/route";
import { openApi, type TestApi } from "./support/api";

const vote = defineResource({ name: "vote", fields: { choice: Type.String() }, example: { choice: "a" } });
const votes = crud(vote, { only: ["list", "create", "read"] });

let api: TestApi;
beforeAll(() => {
  api = openApi({ resources: [vote], routes: [{ file: "votes.ts", path: "/votes", route: votes }] });
});
afterAll(() => api.close());

test("the chosen operations work", async () => {
  expect((await api.send("POST", "/votes", { choice: "a" })).status).toBe(201);
  expect((await api.send("GET", "/votes/1")).status).toBe(200);
  expect((await api.send("GET", "/votes")).json()).toMatchObject({ votes: [{ id: 1 }] });
});

test.each([
  ["PUT", "/votes/1", "GET, HEAD, OPTIONS"],
  ["PATCH", "/votes/1", "GET, HEAD, OPTIONS"],
  ["DELETE", "/votes/1", "GET, HEAD, OPTIONS"],
  ["POST", "/votes/bulk", "GET, HEAD, OPTIONS"],
  ["DELETE", "/votes", "GET, HEAD, OPTIONS, POST"],
])("%s %s is 405, with the methods that are there", async (method, path, allow) => {
  const { status, headers } = await api.send(method, path, { choice: "b" });
  expect([status, headers.get("allow")]).toEqual([405, allow]);
  expect((await api.send("OPTIONS", path)).headers.get("allow")).toBe(allow);
  expect((await api.events()).map(({ type }) => type)).not.toContain("vote.updated");
});

test("the OpenAPI document has only these", async () => {
  const { paths, components } = (await api.send("GET", "/swagger/json")).json<{
    paths: Record<string, object>;
    components: { schemas: object };
  }>();
  const shown = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  expect(shown.filter((operation) => operation.includes("/votes")).sort()).toEqual(["get /votes", "get /votes/{id}", "post /votes"]);
  expect(Object.keys(components.schemas)).not.toContain("VotePatch");
});

test("a typed client knows only these", () => {
  const typed = (dependencies: Dependencies) => new Elysia().use(new Elysia({ prefix: "/votes" }).use(votes(dependencies)));
  const { votes: client } = treaty<ReturnType<typeof typed>>("http://test");
  const fine = () => [client.post({ choice: "a" }), client.get({ query: { limit: 1 } }), client({ id: "1" }).get()];
  // @ts-expect-error not one of the operations
  const patch = () => client({ id: "1" }).patch({ choice: "b" });
  // @ts-expect-error not one of the operations
  const bulk = () => client.bulk.post([]);
  expect([fine, patch, bulk].map((each) => typeof each)).toEqual(["function", "function", "function"]);
});

test("an unknown operation, or none, is refused where the route is made", () => {
  // @ts-expect-error "update" is "replace" or "patch"
  const unknown = () => crud(vote, { only: ["read", "update"] });
  const words = "crud(vote): `only` must name some of list, create, bulk, read, replace, patch, remove, history, restore";
  expect(unknown).toThrow(`${words}; it names "update".`);
  // @ts-expect-error none
  expect(() => crud(vote, { only: [] })).toThrow(words);
});
