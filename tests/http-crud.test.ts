// Create, read, list, replace, change and delete over HTTP, and the event that each leaves in the log.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { openApi, type TestApi } from "./support/api";
import { itemFields } from "./support/arbitrary";

let api: TestApi;

const json = "application/json";
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const sample = { name: "Sample Item", description: "A thing", price: 9.99 };

interface Item {
  id: number;
  name: string;
  description: string | null;
  price: number | null;
  version: number;
  createdAt: string;
  updatedAt: string;
}

describe("POST /items", () => {
  beforeEach(() => {
    api = openApi();
  });
  afterEach(() => api.close());

  test("201, the place of the item, and the item with what the service fills in", async () => {
    const answer = await api.send("POST", "/items", sample);
    expect([answer.status, answer.headers.get("location"), answer.headers.get("content-type")]).toEqual([201, "/items/1", json]);
    const item = answer.json<Item>();
    expect(Object.keys(item)).toEqual(["id", "name", "description", "price", "version", "createdAt", "updatedAt"]);
    expect(item).toEqual({ id: 1, ...sample, version: 1, createdAt: expect.stringMatching(time), updatedAt: item.createdAt });
    expect((await api.send("GET", "/items/1")).text).toBe(answer.text);
    expect((await api.send("POST", "/items", sample)).headers.get("location")).toBe("/items/2");
  });

  test("what may be null is null when it is left out", async () => {
    expect((await api.send("POST", "/items", { name: "x" })).json()).toMatchObject({ description: null, price: null });
  });

  test("the place is right behind a trailing slash, too", async () => {
    expect((await api.send("POST", "/items/", sample)).headers.get("location")).toBe("/items/1");
  });

  test("takes JSON by any of its names", async () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON", 'application/json;charset="utf-8"'])
      expect([type, (await api.send("POST", "/items", JSON.stringify(sample), { "content-type": type })).status]).toEqual([type, 201]);
  });

  test("the limits themselves are fine", async () => {
    const full = { name: "x".repeat(200), description: "x".repeat(2000), price: 0 };
    expect((await api.send("POST", "/items", full)).json()).toMatchObject(full);
    expect((await api.send("POST", "/items", { name: "x", description: "" })).status).toBe(201);
  });

  test("property: any item comes back as it was sent, and is the same in its event", async () => {
    await fc.assert(
      fc.asyncProperty(itemFields, async (fields) => {
        const answer = await api.send("POST", "/items", fields);
        expect(answer.status).toBe(201);
        const item = answer.json<Item>();
        expect(item).toMatchObject(fields);
        const [last] = (await api.store.log.read((await api.store.log.end()) - 1, 1)).map((entry) => JSON.parse(entry.body));
        expect(last.item).toEqual(item);
      }),
      { numRuns: 50 },
    );
  });
});

describe("one item", () => {
  beforeEach(async () => {
    api = openApi();
    await api.send("POST", "/items", sample);
  });
  afterEach(() => api.close());

  test("GET: 200 and the item", async () => {
    const answer = await api.send("GET", "/items/1");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, json]);
    expect(answer.json()).toMatchObject({ id: 1, ...sample, version: 1 });
  });

  test("PUT: 200, every field replaced: those left out go back to their defaults", async () => {
    const before = (await api.send("GET", "/items/1")).json<Item>();
    const answer = await api.send("PUT", "/items/1", { name: "New" });
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      ...before,
      name: "New",
      description: null,
      price: null,
      version: 2,
      updatedAt: expect.stringMatching(time),
    });
    expect((await api.send("GET", "/items/1")).text).toBe(answer.text);
  });

  test("PUT needs every field that has no default", async () => {
    expect((await api.send("PUT", "/items/1", { price: 1 })).status).toBe(422);
    expect((await api.send("GET", "/items/1")).json()).toMatchObject({ ...sample, version: 1 });
  });

  test("PATCH: 200, what is left out stays", async () => {
    const answer = await api.send("PATCH", "/items/1", { price: 1.5 });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ id: 1, ...sample, price: 1.5, version: 2 });
  });

  test("DELETE: 204 with no body; gone afterwards", async () => {
    const answer = await api.send("DELETE", "/items/1");
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect((await api.send("GET", "/items/1")).status).toBe(404);
    expect((await api.send("DELETE", "/items/1")).status).toBe(404);
    expect((await api.send("POST", "/items", sample)).headers.get("location")).toBe("/items/2");
  });

  test("each change is one event, with the item as it was answered; a deleted one carries the last state", async () => {
    const put = await api.send("PUT", "/items/1", { name: "New" });
    const patch = await api.send("PATCH", "/items/1", { name: "Newer" });
    await api.send("DELETE", "/items/1");
    const events = await api.events();
    expect(events.map(({ type, version }) => [type, version])).toEqual([
      ["item.created", 1],
      ["item.updated", 1],
      ["item.updated", 1],
      ["item.deleted", 1],
    ]);
    expect(events.map(({ item }) => (item as Item).version)).toEqual([1, 2, 3, 3]);
    expect([events[1]?.["item"], events[2]?.["item"], events[3]?.["item"]]).toEqual([put.json(), patch.json(), patch.json()]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
  });

  test("a request that changes nothing leaves no event", async () => {
    await api.send("GET", "/items");
    await api.send("PUT", "/items/9", sample);
    await api.send("PATCH", "/items/1", { price: -1 });
    await api.send("POST", "/items", {});
    expect(await api.events()).toHaveLength(1);
  });

  test("the trace of the request goes with the event; one that is malformed does not", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await api.send("PATCH", "/items/1", { price: 1 }, { traceparent });
    await api.send("PATCH", "/items/1", { price: 2 }, { traceparent: "00-nonsense" });
    expect((await api.store.log.read(0, 10)).map((entry) => entry.traceparent)).toEqual([null, traceparent, null]);
  });
});

describe("an item that is not there", () => {
  beforeAll(() => {
    api = openApi();
  });
  afterAll(() => api.close());

  const problem = (id: string) => ({
    type: "/problems/not-found",
    title: "Not found",
    status: 404,
    detail: `There is no item ${id}.`,
    requestId: expect.any(String) as string,
  });
  test.each([
    ["GET", undefined],
    ["PUT", sample],
    ["PATCH", { price: 1 }],
    ["DELETE", undefined],
  ])("%s: 404", async (method, body) => {
    for (const id of ["1", "999999999999999"]) {
      const answer = await api.send(method, `/items/${id}`, body);
      expect([answer.status, answer.headers.get("content-type"), answer.json()]).toEqual([404, "application/problem+json", problem(id)]);
    }
  });

  test.each(["0", "-1", "1.5", "01", "1e3", "abc", "9999999999999999", "%00", "1%20"])("%p is not an id: 422", async (id) => {
    const answer = await api.send("GET", `/items/${id}`);
    expect([answer.status, answer.json()]).toEqual([
      422,
      expect.objectContaining({
        detail: "The path is not valid.",
        errors: [{ pointer: "/id", detail: "The id of the item, an integer." }],
      }),
    ]);
  });

  test.each([
    ["GET", "/nothing"],
    ["GET", "/items/1/more"],
  ])("%s %s: nothing is there, 404", async (method, path) => {
    const answer = await api.send(method, path);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    expect(answer.json()).toMatchObject({ detail: `No route matches ${method} ${path}.` });
  });
});
