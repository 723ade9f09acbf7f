// JSON merge patch, RFC 7396: the function, and PATCH over HTTP.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mergePatch } from "../src/crud/merge-patch";
import { openApi, type TestApi } from "./support/api";

describe("mergePatch", () => {
  // The table of appendix A.
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', "null", "null"],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
    ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])("%s and %s make %s", (target, patch, result) => {
    expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toStrictEqual(JSON.parse(result));
  });

  test("property: neither argument is changed, and a second time changes nothing more", () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (target, patch) => {
        const [a, b] = [JSON.parse(target), JSON.parse(patch)];
        const once = mergePatch(a, b);
        expect([a, b]).toStrictEqual([JSON.parse(target), JSON.parse(patch)]);
        expect(mergePatch(once, b)).toStrictEqual(once);
      }),
    );
  });

  test("a key of __proto__ is a property, and touches no prototype", () => {
    const merged = mergePatch({ a: 1 }, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("PATCH", () => {
  let api: TestApi;
  beforeEach(() => {
    api = openApi();
  });
  afterEach(() => api.close());

  const address = { street: "Main 1", city: "London", door: "7b" };
  const order = { customer: "Ada", lines: [{ item: 1, quantity: 2 }], address, recipient: { name: "Eve", phone: "1" }, state: "paid" };

  async function patched(path: string, patch: unknown, type = "application/merge-patch+json"): Promise<unknown> {
    const answer = await api.send("PATCH", path, JSON.stringify(patch), { "content-type": type });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    expect((await api.send("GET", path)).text).toBe(answer.text);
    return answer.json();
  }

  test("is taken as merge-patch+json and as json", async () => {
    await api.send("POST", "/items", { name: "x", price: 1 });
    expect(await patched("/items/1", { name: "y" }, "application/merge-patch+json; charset=utf-8")).toMatchObject({ name: "y", price: 1 });
    expect(await patched("/items/1", { name: "z" }, "application/json")).toMatchObject({ name: "z", price: 1, version: 3 });
  });

  test("null takes a value away: the field is null again, or at its default", async () => {
    await api.send("POST", "/items", { name: "x", description: "text", price: 1 });
    expect(await patched("/items/1", { description: null })).toMatchObject({ name: "x", description: null, price: 1 });
    await api.send("POST", "/orders", order);
    expect(await patched("/orders/1", { recipient: null })).toMatchObject({ recipient: null, state: "paid" });
  });

  test("reaches into objects; a list is replaced as a whole", async () => {
    await api.send("POST", "/orders", order);
    expect(await patched("/orders/1", { address: { city: "Paris" } })).toMatchObject({ ...order, address: { ...address, city: "Paris" } });
    expect(await patched("/orders/1", { lines: [{ item: 9, quantity: 9 }] })).toMatchObject({ lines: [{ item: 9, quantity: 9 }] });
  });

  test("null inside an object takes that value away, and no other", async () => {
    await api.send("POST", "/orders", order);
    expect(await patched("/orders/1", { address: { door: null } })).toMatchObject({ ...order, address: { ...address, door: null } });
  });

  test("reaches into an object that may be null, and makes one of null", async () => {
    await api.send("POST", "/orders", order);
    expect(await patched("/orders/1", { recipient: { phone: null } })).toMatchObject({ recipient: { name: "Eve", phone: null } });
    await patched("/orders/1", { recipient: null });
    expect(await patched("/orders/1", { recipient: { name: "Bob" } })).toMatchObject({ recipient: { name: "Bob", phone: null } });
  });

  test.each([
    ["/items/1", { name: null }, "/name"],
    ["/items/1", { name: " " }, "/name"],
    ["/items/1", { colour: "red" }, "/colour"],
    ["/items/1", { id: 2 }, "/id"],
    ["/items/1", { version: 7 }, "/version"],
    ["/orders/1", { address: { city: null } }, "/address/city"],
    ["/orders/1", { address: { planet: "Mars" } }, "/address/planet"],
    ["/orders/1", { address: null }, "/address"],
    ["/orders/1", { lines: [{ item: 1 }] }, "/lines/0/quantity"],
    ["/orders/1", { state: "lost" }, "/state"],
    ["/items/1", [], ""],
    ["/items/1", "text", ""],
    ["/items/1", null, ""],
  ])("%s %j: 422, and nothing is changed", async (path, patch, pointer) => {
    await api.send("POST", "/items", { name: "x", price: 1 });
    await api.send("POST", "/orders", order);
    const before = (await api.send("GET", path)).text;
    const answer = await api.send("PATCH", path, patch);
    expect([answer.status, answer.json<{ errors: { pointer: string }[] }>().errors.map((mistake) => mistake.pointer)]).toEqual([
      422,
      [pointer],
    ]);
    expect((await api.send("GET", path)).text).toBe(before);
    expect(await api.events()).toHaveLength(2);
  });

  test("a patch that fits by itself, but would leave an object incomplete, is refused with the place", async () => {
    await api.send("POST", "/orders", { ...order, recipient: null });
    const answer = await api.send("PATCH", "/orders/1", { recipient: { phone: "2" } });
    expect([answer.status, answer.json()]).toEqual([
      422,
      expect.objectContaining({
        detail: "The patch would make the order invalid.",
        errors: [expect.objectContaining({ pointer: "/recipient/name" })],
      }),
    ]);
  });
});

test("in a new record, too, what may be null may be left out at every depth", async () => {
  const api = openApi();
  const created = await api.send("POST", "/orders", {
    customer: "Ada",
    lines: [{ item: 1, quantity: 1 }],
    address: { street: "Main 1", city: "London" },
    recipient: { name: "Eve" },
  });
  expect([created.status, created.json()]).toEqual([
    201,
    expect.objectContaining({
      address: { street: "Main 1", city: "London", door: null },
      recipient: { name: "Eve", phone: null },
      state: "open",
    }),
  ]);
  await api.close();
});
