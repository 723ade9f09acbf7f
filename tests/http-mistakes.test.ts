// An invalid request is answered with every mistake and its place, and without the values that were sent.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import fc from "fast-check";
import { type Answer, openApi, type TestApi } from "./support/api";

let api: TestApi;
beforeAll(() => {
  api = openApi();
});
afterAll(() => api.close());

const address = { street: "Main 1", city: "London" };
const order = { customer: "Ada", lines: [{ item: 1, quantity: 2 }], address };
const requestId = expect.any(String) as string;
const invalid = { type: "/problems/invalid", title: "Invalid content", status: 422, requestId };

function pointers(answer: Answer): string[] {
  expect([answer.status, answer.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
  return answer
    .json<{ errors: { pointer: string }[] }>()
    .errors.map((mistake) => mistake.pointer)
    .sort();
}

test.each([
  ["GET", "/items"],
  ["GET", "/events"],
  ["GET", "/events/stream"],
  ["GET", "/dead-letters/audit"],
  ["DELETE", "/dead-letters/audit"],
])("a query of %s %s with a parameter that is repeated, unknown or not UTF-8: 422, with every mistake", async (method, path) => {
  const name = path === "/items" ? "limit" : "type";
  expect(pointers(await api.send(method, `${path}?${name}=1&${name}=1&colour=red`))).toEqual(["/colour", `/${name}`]);
  expect(pointers(await api.send(method, `${path}?${name}=%ff`))).toEqual([`/${name}`]);
});

describe("a body that is not valid: 422", () => {
  test("with every mistake at once, each with its place and what is expected there", async () => {
    const answer = await api.send("POST", "/items", { name: "", description: 5, price: -1, colour: "red" });
    expect(answer.json()).toEqual({
      ...invalid,
      detail: "The body is not valid.",
      errors: expect.arrayContaining([
        { pointer: "/name", detail: "1 to 200 characters, not blank." },
        { pointer: "/description", detail: "Expected string of at most 2000 characters; or Expected null" },
        { pointer: "/price", detail: "Expected number to be greater or equal to 0; or Expected null" },
        { pointer: "/colour", detail: "Unexpected property" },
      ]),
    });
    expect(pointers(answer)).toEqual(["/colour", "/description", "/name", "/price"]);
  });

  test.each([
    ["a missing field", {}, ["/name"]],
    ["a blank name", { name: " \t\n" }, ["/name"]],
    ["a name of ideographic spaces", { name: "\u3000\u3000" }, ["/name"]],
    ["a name that is too long", { name: "x".repeat(201) }, ["/name"]],
    ["a name that is a number", { name: 5 }, ["/name"]],
    ["a name that is null", { name: null }, ["/name"]],
    ["a description that is too long", { name: "x", description: "x".repeat(2001) }, ["/description"]],
    ["a price that is text", { name: "x", price: "5" }, ["/price"]],
    ["a price that is true", { name: "x", price: true }, ["/price"]],
    ["a field that the service fills in", { name: "x", id: 7, version: 2, createdAt: "now" }, ["/createdAt", "/id", "/version"]],
    ["an unknown property, whose name has / and ~", { name: "x", "a/b~c": 1 }, ["/a~1b~0c"]],
    ["a list", [{ name: "x" }], [""]],
    ["text", "name", [""]],
    ["a number", 5, [""]],
    ["true", true, [""]],
    ["null", null, [""]],
  ])("%s", async (_, body, expected) => {
    expect(pointers(await api.send("POST", "/items", body))).toEqual(expected);
    expect(pointers(await api.send("PUT", "/items/1", body))).toEqual(expected);
  });

  test.each([
    ["inside an object", { ...order, address: { street: 1 } }, ["/address/city", "/address/street"]],
    ["inside a list", { ...order, lines: [order.lines[0], { item: 0, quantity: 1.5 }] }, ["/lines/1/item", "/lines/1/quantity"]],
    [
      "inside an object that may be null",
      { ...order, recipient: { name: 5, phone: 6, fax: 7 } },
      ["/recipient/fax", "/recipient/name", "/recipient/phone"],
    ],
    ["an empty list", { ...order, lines: [] }, ["/lines"]],
    ["one of several literals", { ...order, state: "lost" }, ["/state"]],
    ["unknown, inside", { ...order, address: { ...address, planet: "Mars" } }, ["/address/planet"]],
  ])("%s", async (_, body, expected) => {
    expect(pointers(await api.send("POST", "/orders", body))).toEqual(expected);
  });

  test("a hundred mistakes at most: a body of megabytes can have a million", async () => {
    const lines = Array.from({ length: 5000 }, () => ({}));
    const found = pointers(await api.send("POST", "/orders", { ...order, lines }));
    expect(found).toHaveLength(100);
    expect(new Set(found).size).toBe(100);
  });

  test("hostile keys are unknown properties", async () => {
    const body = '{"name":"x","__proto__":{"price":-1},"constructor":1}';
    expect(pointers(await api.send("POST", "/items", body, { "content-type": "application/json" }))).toEqual([
      "/__proto__",
      "/constructor",
    ]);
  });

  test("a number that is too large for JSON's reader", async () => {
    expect(pointers(await api.send("POST", "/items", '{"name":"x","price":1e400}', { "content-type": "application/json" }))).toEqual([
      "/price",
    ]);
  });
});

describe("what was sent is not in the answer", () => {
  const marker = "m4rker";
  test.each([
    ["POST", "/items", { name: { deep: marker }, description: [marker], price: marker }],
    ["POST", "/items", { name: marker.repeat(50) }],
    ["POST", "/items", [marker]],
    ["POST", "/orders", { ...order, state: marker, recipient: { name: [marker] } }],
    ["PATCH", "/items/1", { name: [marker] }],
    ["PUT", "/items/1", { price: marker }],
    ["GET", `/items/${marker}`, undefined],
    ["GET", `/items?limit=${marker}&after=${marker}`, undefined],
  ])("%s %s", async (method, path, body) => {
    const answer = await api.send(method, path, body);
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain(marker);
  });

  test.each([`{"name": "${"m4rker"}`, `m4rker`, `{"m4rker": }`])("a body that is not JSON: %s", async (body) => {
    const answer = await api.send("POST", "/items", body, { "content-type": "application/json" });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain("m4rker");
  });
});

describe("a body of another kind", () => {
  test.each([
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    "text/json",
    "application/merge-patch+json",
  ])("%s: 415, which says what is taken", async (type) => {
    for (const [method, path] of [
      ["POST", "/items"],
      ["PUT", "/items/1"],
    ] as const) {
      const answer = await api.send(method, path, '{"name":"x"}', { "content-type": type });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([415, "application/problem+json"]);
      expect(answer.json()).toEqual({
        type: "/problems/unsupported-media-type",
        title: "Unsupported media type",
        status: 415,
        detail: `Send the body as application/json, not as ${type.split(";")[0]}.`,
        requestId,
      });
    }
  });

  test("PATCH takes a merge patch as well, and no form", async () => {
    const answer = await api.send("PATCH", "/items/1", "name=x", { "content-type": "application/x-www-form-urlencoded" });
    expect([answer.status, answer.json()]).toEqual([
      415,
      expect.objectContaining({
        detail: "Send the body as application/merge-patch+json or application/json, not as application/x-www-form-urlencoded.",
      }),
    ]);
  });

  test.each([
    ["POST", "/items", "application/json", null],
    ["PUT", "/orders/1", "application/json", null],
    ["PATCH", "/orders/1", "application/merge-patch+json, application/json", "application/merge-patch+json, application/json"],
    ["POST", "/orders/bulk", "application/x-ndjson, application/json", null],
  ])("%s %s: the headers say what is taken (RFC 9110, 12.5.1; RFC 5789, 2.2)", async (method, path, accept, patch) => {
    const { status, headers } = await api.send(method, path, "x", { "content-type": "text/plain" });
    expect([status, headers.get("accept"), headers.get("accept-patch"), headers.get("accept-encoding")]).toEqual([
      415,
      accept,
      patch,
      null,
    ]);
    const encoded = await api.send(method, path, "x", { "content-type": "application/json", "content-encoding": "gzip" });
    // RFC 9110, 15.5.16: the encoding is what is wrong, and not the type.
    expect([encoded.status, encoded.headers.get("accept-encoding"), encoded.headers.get("accept")]).toEqual([415, "identity", null]);
  });

  test("with no type at all", async () => {
    const answer = await api.send("POST", "/items", new Blob(['{"name":"x"}']) as unknown, { "content-type": "" });
    expect([answer.status, answer.json()]).toEqual([
      415,
      expect.objectContaining({ detail: "Send the body as application/json, with a matching Content-Type." }),
    ]);
  });
});

describe("a body that cannot be read: 400", () => {
  const send = (body: unknown) => api.send("POST", "/items", body, { "content-type": "application/json" });
  test.each([
    ["nothing", "", "The body is empty; send a JSON object."],
    ["white space", " \n", "The body is empty; send a JSON object."],
    ["half a body", '{"name":', "The body is not valid JSON."],
    ["two bodies", "{}{}", "The body is not valid JSON."],
    ["a form", "name=x", "The body is not valid JSON."],
    ["a comment", '{"name":"x"/* */}', "The body is not valid JSON."],
  ])("%s", async (_, body, detail) => {
    const answer = await send(body);
    expect([answer.status, answer.headers.get("content-type"), answer.json()]).toEqual([
      400,
      "application/problem+json",
      { type: "/problems/bad-request", title: "Bad request", status: 400, detail, requestId },
    ]);
  });

  test("text that is not UTF-8 is refused, and not stored with its characters lost", async () => {
    const answer = await send(Buffer.from('{"name":"Käse"}', "latin1"));
    expect([answer.status, answer.json()]).toEqual([400, expect.objectContaining({ detail: "The body is not valid UTF-8." })]);
    expect((await send(Buffer.from('{"name":"Käse"}', "utf8"))).json()).toMatchObject({ name: "Käse" });
  });

  test("JSON that is nested too deep to read", async () => {
    for (const body of [
      "[".repeat(100_000),
      `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
    ]) {
      for (const [method, path] of [
        ["POST", "/items"],
        ["PATCH", "/orders/1"],
      ] as const) {
        const answer = await api.send(method, path, body, { "content-type": "application/json" });
        expect([400, 422]).toContain(answer.status);
      }
    }
  });

  test("property: random bytes are 400 or 422, and nothing is stored", async () => {
    const before = await api.events();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (body) => {
        expect([400, 422]).toContain((await send(body)).status);
      }),
    );
    expect(await api.events()).toEqual(before);
    expect(api.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a route with a schema of its own", () => {
  test("refuses what the schema does not know, and echoes nothing", async () => {
    const route = () => new Elysia().post("", ({ body }) => body, { body: Type.Object({ name: Type.String() }) });
    const own = openApi({ routes: [{ file: "own.ts", path: "/own", route }] });
    const answer = await own.send("POST", "/own", { name: ["m4rker"], colour: "m4rker" });
    expect(pointers(answer)).toEqual(["/colour", "/name"]);
    expect(answer.text).not.toContain("m4rker");
    expect((await own.send("POST", "/own", { name: "x", colour: "red" })).status).toBe(422);
    expect((await own.send("POST", "/own", { name: "x" })).json()).toEqual({ name: "x" });
    expect((await own.send("POST", "/own", "{", { "content-type": "application/json" })).json()).toMatchObject({ status: 400 });
    await own.close();
  });
});
