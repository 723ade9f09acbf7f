// Unique keys over HTTP: the problem of each request that breaks one, and the documentation.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { crud } from "warren/crud";
import { defineResource, Nullable } from "warren/resource";
import { openApi, type TestApi } from "./support/api";

const page = defineResource({
  name: "page",
  fields: { site: Type.Integer(), slug: Type.String(), secret: Nullable(Type.String()) },
  unique: [{ field: ["site", "slug"], ignoreCase: true }, "secret"],
  example: { site: 1, slug: "home", secret: null },
});

let api: TestApi;
beforeEach(() => {
  api = openApi({ resources: [page], routes: [{ file: "pages.ts", path: "/pages", route: crud(page) }] });
});
afterEach(() => api.close());

const home = { site: 1, slug: "home", secret: "the other's" };
const problem = {
  type: "/problems/conflict",
  title: "Conflict with the current state",
  status: 409,
  detail: "Another page has the same site and slug.",
  errors: ["/site", "/slug"].map((pointer) => ({ pointer, detail: "Must be unique together: site and slug." })),
};

describe("a value that another record has", () => {
  beforeEach(() => api.send("POST", "/pages", home));

  test.each<[string, string, unknown]>([
    ["POST", "/pages", { site: 1, slug: "HOME" }],
    ["PUT", "/pages/2", { site: 1, slug: "Home" }],
    ["PATCH", "/pages/2", { slug: "home" }],
  ])("%s %s is a 409 with the fields, and nothing of the other record", async (method, path, body) => {
    await api.send("POST", "/pages", { site: 1, slug: "about" });
    const { status, headers, text, json } = await api.send(method, path, body);
    expect([status, headers.get("content-type")]).toEqual([409, "application/problem+json"]);
    expect(json()).toEqual({ ...problem, requestId: expect.any(String) });
    expect(text).not.toContain("the other's");
    expect(await api.events()).toHaveLength(2);
  });

  test("in a bulk is a 409 of that record alone", async () => {
    const { json } = await api.send("POST", "/pages/bulk", [
      { site: 2, slug: "a" },
      { site: 1, slug: "home" },
      { site: 2, slug: "A" },
    ]);
    const results = [
      { index: 0, status: 201, page: expect.objectContaining({ id: 2 }) },
      { index: 1, status: 409, problem },
      { index: 2, status: 409, problem },
    ];
    expect(json()).toEqual({ created: 1, failed: 2, results });
  });

  test("with an Idempotency-Key, the first answer comes again and is no conflict with itself", async () => {
    const send = () => api.send("POST", "/pages", { site: 3, slug: "a" }, { "idempotency-key": "k" });
    const { status, text } = await send();
    expect([status, (await send()).text]).toEqual([201, text]);
  });
});

test("64 requests at once for one value: one is answered with 201, and the others with 409", async () => {
  const answers = await Promise.all(Array.from({ length: 64 }, () => api.send("POST", "/pages", home)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toEqual([201, ...Array(63).fill(409)]);
  expect(await api.events()).toHaveLength(1);
});

test("the documentation has the 409, and that of a resource without unique keys has not", async () => {
  const { paths } = (await api.send("GET", "/swagger/json")).json<{ paths: Record<string, Record<string, { responses: object }>> }>();
  for (const [path, method] of [
    ["/pages", "post"],
    ["/pages/{id}", "put"],
    ["/pages/{id}", "patch"],
  ] as const)
    expect([path, Object.keys(paths[path]?.[method]?.responses ?? {})]).toEqual([path, expect.arrayContaining(["409"])]);
  const shipped = openApi();
  const plain = (await shipped.send("GET", "/swagger/json")).json<{ paths: typeof paths }>().paths;
  expect(Object.keys(plain["/items"]?.["post"]?.responses ?? {})).not.toContain("409");
  await shipped.close();
});
