// A body is stored as it was sent, or refused with the place of the mistake: nothing is rounded, dropped or cut silently.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { buildEvent } from "warren/testing";
import { item } from "../src/domain/item";
import { jsonBody } from "../src/http/json-body";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { inexact } from "../src/schema/exact-json";
import { type Answer, openApi, type TestApi } from "./support/api";

let api: TestApi;
beforeAll(() => {
  api = openApi();
});
afterAll(() => api.close());

const json = { "content-type": "application/json" };
const post = (body: string, headers: Record<string, string> = json) => api.send("POST", "/items", body, headers);

function mistakes(answer: Answer): Record<string, string> {
  expect([answer.status, answer.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
  const { errors } = answer.json<{ errors: { pointer: string; detail: string }[] }>();
  expect(new Set(errors.map(({ pointer }) => pointer)).size).toBe(errors.length);
  return Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]));
}

const found = (text: string) => Object.fromEntries(inexact(text, JSON.parse(text)).map(({ pointer, detail }) => [pointer, detail]));

describe("numbers", () => {
  test.each([
    "9007199254740991",
    "0",
    "-0",
    "0.1",
    "1e3",
    "1E+2",
    "1.50",
    "9.99",
    "0.30000000000000004",
    "123456789.01234567",
    "1e-7",
    "5e-324",
    "900719925474099.1e1",
    "0.000000000000000000000000000000001",
  ])("%s is stored", async (price) => {
    expect((await post(`{"name":"x","price":${price}}`)).json()).toMatchObject({ price: Number(price) + 0 });
  });

  test.each([
    ["9007199254740992", "Expected number between -9007199254740991 and 9007199254740991"],
    ["9007199254740993", "Expected number between -9007199254740991 and 9007199254740991"],
    ["1e16", "Expected number between -9007199254740991 and 9007199254740991"],
    ["1e400", "Expected number between -9007199254740991 and 9007199254740991"],
    ["-1e400", "Expected number between -9007199254740991 and 9007199254740991"],
    ["0.1000000000000000055511151231257827", "Expected number that a double represents exactly; any with up to 15 digits is"],
    ["1234567890123456.7", "Expected number that a double represents exactly; any with up to 15 digits is"],
    ["9007199254740990.5", "Expected number that a double represents exactly; any with up to 15 digits is"],
    ["1e-400", "Expected number that a double represents exactly; any with up to 15 digits is"],
  ])("%s is refused", async (price, detail) => {
    expect(mistakes(await post(`{"name":"x","price":${price}}`))).toEqual({ "/price": detail });
  });

  test("are not texts, and texts are not numbers, at any depth", async () => {
    const order = { customer: "Ada", address: { street: "a", city: "b" } };
    expect(mistakes(await api.send("POST", "/orders", { ...order, lines: [{ item: "5", quantity: true }] }))).toEqual({
      "/lines/0/item": "Expected integer",
      "/lines/0/quantity": "Expected integer",
    });
    const body = JSON.stringify({ ...order, lines: [{ item: 1, quantity: 2 }] }).replace(":2", ":9007199254740993");
    expect(Object.keys(mistakes(await api.send("POST", "/orders", body, json)))).toEqual(["/lines/0/quantity"]);
    expect((await api.send("POST", "/orders", body.replace("9007199254740993", "2.0"), json)).json()).toMatchObject({
      lines: [{ quantity: 2 }],
    });
  });

  test("property: what a double says of itself is what it holds, and 15 digits always are", () => {
    const literals = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -9e15, max: 9e15 }).map(String),
      fc
        .tuple(fc.bigInt({ min: 1n, max: 999_999_999_999_999n }), fc.integer({ min: 0, max: 15 }))
        .map(([digits, point]) =>
          `${digits}`.padStart(point + 1, "0").replace(new RegExp(`(\\d{${point}})$`), (tail) => (tail ? `.${tail}` : "")),
        ),
    );
    fc.assert(
      fc.property(literals, (literal) => expect(found(`[${literal}]`)).toEqual({})),
      { numRuns: 500 },
    );
  });

  test("property: one digit more than a double has makes another number of it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 0.001, max: 1e9 }), (value) => {
        const literal = `${value.toPrecision(17)}9`.replace(/^(\d+)9$/, "$1.9");
        expect(Object.keys(found(`{"a":${literal}}`))).toEqual(["/a"]);
      }),
    );
  });
});

describe("keys", () => {
  test.each([
    ['{"name":"x","name":"y"}', ["/name"]],
    ['{"name":"x","name":"x"}', ["/name"]],
    ['{"name" : "x", "n\\u0061me"\n:\t"y"}', ["/name"]],
    ['{"name":"x","a":{"b":1,"c":[{"d":1,"d":2}],"b":2}}', ["/a", "/a/b", "/a/c/0/d"]],
    ['{"name":"x","__proto__":1,"__proto__":2}', ["/__proto__"]],
    ['{"name":"x","a/b~c":1,"a/b~c":1}', ["/a~1b~0c"]],
  ])("that come twice are named: %s", async (body, expected) => {
    const said = mistakes(await post(body));
    expect(Object.keys(said).sort()).toEqual(expected);
    expect(Object.values(said)).toContain("Expected once");
  });

  test("a text that looks as if it had keys in it has none", async () => {
    for (const name of ['"a":1,"a":2', 'x":', '\\":', '"', '{"a":1}', "a : b"]) {
      expect((await api.send("POST", "/items", { name, description: name })).json()).toMatchObject({ name, description: name });
    }
  });

  test("hostile ones are unknown, and reach no prototype", async () => {
    for (const [method, path] of [
      ["POST", "/items"],
      ["PATCH", "/items/1"],
      ["PUT", "/items/1"],
    ] as const) {
      const answer = await api.send(
        method,
        path,
        '{"name":"x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}',
        json,
      );
      expect(Object.keys(mistakes(answer)).sort()).toEqual(["/__proto__", "/constructor", "/toString"]);
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    const nested = '{"address":{"__proto__":{"polluted":1}},"recipient":{"constructor":1}}';
    expect(Object.keys(mistakes(await api.send("PATCH", "/orders/1", nested, json))).sort()).toEqual([
      "/address/__proto__",
      "/recipient/constructor",
    ]);
  });

  test("that are very long are named in short, and nothing of a value comes back", async () => {
    const long = "k".repeat(10_000);
    for (const body of [`{"name":"x","${long}":"m4rker"}`, `{"name":"x","${long}":"m4rker","${long}":1e400}`]) {
      const answer = await post(body);
      expect(Object.keys(mistakes(answer))).toEqual([`/${"k".repeat(100)}…`]);
      expect([answer.text.length < 600, answer.text.includes("m4rker")]).toEqual([true, false]);
    }
  });

  test("all mistakes at once, of the text and of the schema", async () => {
    const said = mistakes(await post('{"name":"a\\u0000","price":1e999,"description":5,"colour":1,"colour":2}'));
    expect(Object.keys(said).sort()).toEqual(["/colour", "/description", "/name", "/price"]);
  });

  test("a hundred at most", async () => {
    const body = `{"name":"x",${Array.from({ length: 5000 }, (_, index) => `"k${index}":1,"k${index}":2`).join(",")}}`;
    expect(Object.keys(mistakes(await post(body)))).toHaveLength(100);
  });

  test("property: a text without duplicates has no mistake, however it is spaced; with one, it is named", () => {
    const spaced = fc.tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, "\t"));
    const exact = (value: unknown): boolean =>
      typeof value === "object" && value !== null
        ? Object.entries(value).every(([key, inner]) => exact(key) && exact(inner))
        : typeof value === "string"
          ? value.isWellFormed() && !value.includes("\0")
          : typeof value !== "number" || Math.abs(value) <= Number.MAX_SAFE_INTEGER;
    fc.assert(
      fc.property(spaced, ([value, space]) => {
        const text = JSON.stringify(value, null, space);
        expect(Object.keys(found(text)).length === 0).toBe(exact(value));
        expect(found(`{"once":${text},"twice":1,"twice":${text}}`)["/twice"]).toEqual(exact(value) ? "Expected once" : expect.any(String));
      }),
      { numRuns: 300 },
    );
  });
});

describe("text", () => {
  test.each([
    ['"a\\u0000b"', { "/name": "Expected string without NUL or lone surrogates" }],
    ['"\\ud83d"', { "/name": "Expected string without NUL or lone surrogates" }],
    ['"\\udc30\\ud83d"', { "/name": "Expected string without NUL or lone surrogates" }],
    ['"x","\\u0000":1', { "/\0": "Expected property name without NUL or lone surrogates" }],
    ['"x","\\ud800":1', { "/\ufffd": "Expected property name without NUL or lone surrogates" }],
  ])("with NUL or half a character is refused: %s", async (name, expected) => {
    expect(mistakes(await post(`{"name":${name}}`))).toEqual(expected);
  });

  test("is kept as it was sent: composed or not, escaped or not, of any script", async () => {
    for (const name of ["é", "e\u0301", "\ufeffx", "\u202ex", "\u{1f430}\u200d\u{1f430}", "\ufffd", "\\u0000", "ﬁ", "x\u2028"]) {
      expect((await api.send("POST", "/items", { name })).json()).toMatchObject({ name });
    }
    expect((await post('{"name":"\\ud83d\\udc30 \\u00e9"}')).json()).toMatchObject({ name: "\u{1f430} é" });
  });

  test("is as long as it has code points, in requests and in events", async () => {
    const name = "\u{1f430}".repeat(200);
    const answer = await api.send("POST", "/items", { name, description: "\u{1f430}".repeat(2000) });
    expect([answer.status, answer.json()]).toEqual([201, expect.objectContaining({ name })]);
    expect(Object.keys(mistakes(await api.send("POST", "/items", { name: `${name}x`, description: "\u{1f430}".repeat(2001) })))).toEqual([
      "/name",
      "/description",
    ]);
    expect((await api.send("PATCH", "/items/1", { name })).status).toBe(200);
    expect((await api.send("PATCH", "/items/1", { name: `${name}x` })).status).toBe(422);
    const event = JSON.stringify(buildEvent("item.created", { name }));
    expect(parseEvent(event, new Catalogue([item]))).toMatchObject({ ok: true });
    expect(parseEvent(event.replace(name, `${name}x`), new Catalogue([item]))).toMatchObject({ ok: false, reason: "invalid" });
  });
});

describe("the type of a body", () => {
  const body = '{"name":"x"}';
  test.each([
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=utf8",
    'application/json;charset="UTF8"',
    'APPLICATION/JSON ; Charset="UTF-8"',
    "application/json;",
    "application/json; profile=x",
  ])("%s is read", async (type) => {
    expect((await post(body, { "content-type": type })).status).toBe(201);
  });

  test.each([
    [{ "content-type": "application/json; charset=latin1" }, "Send the body in UTF-8."],
    [{ "content-type": "application/json; charset=utf-16" }, "Send the body in UTF-8."],
    [{ "content-type": "application/json; charset=utf" }, "Send the body in UTF-8."],
    [{ "content-type": "application/json; charset=" }, "Send the body in UTF-8."],
    [{ "content-type": "application/json, text/plain" }, "Send the body as application/json, not as application/json, text/plain."],
    [{ "content-type": "application/json-patch+json" }, "Send the body as application/json, not as application/json-patch+json."],
    [{ ...json, "content-encoding": "gzip" }, "Send the body without a Content-Encoding."],
    [{ ...json, "content-encoding": "br" }, "Send the body without a Content-Encoding."],
  ])("%p is refused", async (headers, detail) => {
    const answer = await post(body, headers as Record<string, string>);
    expect([answer.status, answer.json()]).toEqual([415, expect.objectContaining({ type: "/problems/unsupported-media-type", detail })]);
  });

  test("PATCH takes a merge patch by its own name, and as JSON", async () => {
    await post(body);
    for (const type of ["application/merge-patch+json", "application/json"]) {
      expect((await api.send("PATCH", "/items/1", body, { "content-type": type })).status).toBe(200);
      expect((await api.send("POST", "/items", body, { "content-type": type })).status).toBe(type === "application/json" ? 201 : 415);
    }
  });

  test("identity counts as no encoding", async () => {
    expect((await post(body, { ...json, "content-encoding": "identity" })).status).toBe(201);
  });
});

test("a body of a megabyte that is suspect in every place is read in bounded time", async () => {
  const { transform } = jsonBody(Type.Unknown(), "application/json");
  const half = "1".repeat(300_000);
  for (const body of [
    `[${"0.1000000000000000055,".repeat(40_000)}1]`,
    `[0.${half}]`,
    `["${"\\u0000".repeat(150_000)}"]`,
    `{"a":1,"a":"${":".repeat(900_000)}"}`,
    `["${'\\":'.repeat(300_000)}"]`,
  ]) {
    const start = performance.now();
    await transform({ request: new Request("http://localhost", { method: "POST", body, headers: json }), body: undefined }).catch(() => {});
    expect([body.slice(0, 20), performance.now() - start < 2000]).toEqual([body.slice(0, 20), true]);
  }
});
