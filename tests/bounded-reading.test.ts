// Input made to be costly is refused early: by its bytes, before it is parsed.
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { crud } from "warren/crud";
import items from "../routes/items";
import { shownBody } from "../src/delivery/dead-letters";
import { parseEvent } from "../src/schema/event";
import { isDeeperThan, maxDepth, maxEventDepth } from "../src/schema/json-depth";
import { openApi } from "./support/api";
import { catalogue, order } from "./support/resources";

const api = openApi({
  routes: [
    { file: "items.ts", path: "/items", route: items },
    { file: "orders.ts", path: "/orders", route: crud(order) },
  ],
});
afterAll(() => api.close());

/** Counts what JSON.parse is given. */
async function parsedLength(work: () => unknown): Promise<number> {
  const { parse } = JSON;
  let length = 0;
  JSON.parse = (text: string, ...rest: []) => {
    length += text.length;
    return parse(text, ...rest);
  };
  try {
    await work();
    return length;
  } finally {
    JSON.parse = parse;
  }
}

const nested = (levels: number, inner = "") => "[".repeat(levels) + inner + "]".repeat(levels);
const json = { "content-type": "application/json" };
const ndjson = { "content-type": "application/x-ndjson" };

test("how deep a text is: as deep as JSON.parse finds it", () => {
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  fc.assert(
    fc.property(fc.json({ maxDepth: 8, stringUnit: fc.constantFrom("[", "{", '"', "\\", "]", "a", "😀") }), fc.nat(10), (text, levels) => {
      expect(isDeeperThan(levels, text)).toBe(depthOf(JSON.parse(text)) > levels);
    }),
  );
  // What is no JSON may be anything, but for deep in what a parser would read of it.
  for (const text of ["", '"', '"\\', "]]]", '"[[[', '\\"[[[']) expect(isDeeperThan(3, text)).toBe(false);
  expect(isDeeperThan(3, `"\\\\"${nested(4)}`)).toBe(true);
});

test("a body that is nested millions deep is refused before it is parsed", async () => {
  const deep = nested(500_000);
  for (const [method, path] of [
    ["POST", "/items"],
    ["PUT", "/items/1"],
    ["PATCH", "/orders/1"],
  ] as const) {
    for (const body of [deep, `{"name":${deep}}`, '{"a":'.repeat(200_000), "[".repeat(1_000_000)]) {
      const sent = async () => {
        const answer = await api.send(method, path, body, json);
        expect([answer.status, answer.text]).toEqual([
          422,
          expect.stringContaining(`nested too deeply; the maximum is ${maxDepth} levels`),
        ]);
      };
      // The answer alone was parsed, by nobody.
      expect(await parsedLength(sent)).toBe(0);
    }
  }
  const bulks = [
    [`[${deep},${deep}`, json, 400],
    [`[${deep},${deep}]`, json, 200],
    [`${deep}\n${deep}`, ndjson, 200],
    [`[${nested(1_000_000)}]`, json, 200],
  ] as const;
  for (const [body, headers, status] of bulks) {
    const sent = async () => expect((await api.send("POST", "/orders/bulk", body, headers)).status).toBe(status);
    // A store parses what its database tells of itself, but nothing of the body.
    expect(await parsedLength(sent)).toBeLessThan(10_000);
  }
});

test("messages that are nested millions deep are refused before they are parsed, and shown as text", async () => {
  const bodies = [nested(200_000), `{"item":${nested(200_000)}}`, "[".repeat(400_000)];
  const length = await parsedLength(() => {
    for (const body of bodies) {
      for (const sent of [body, Buffer.from(body)]) {
        expect(parseEvent(sent, catalogue)).toEqual({
          ok: false,
          reason: "not-json",
          detail: expect.stringContaining("nested too deeply"),
        });
      }
      expect(shownBody(Buffer.from(body.slice(0, 60_000)))).toMatchObject({ bodyEncoding: "text" });
      expect(shownBody(Buffer.from(nested(30_000)))).toMatchObject({ bodyEncoding: "text", body: nested(30_000) });
    }
  });
  expect(length).toBe(0);
  expect(shownBody(Buffer.from(nested(maxEventDepth)))).toMatchObject({ bodyEncoding: "json" });
  // The record is inside of an event.
  expect(maxEventDepth).toBeGreaterThan(maxDepth);
});

test("millions of blank lines to a bulk are refused at the first that are too many", async () => {
  const before = await api.store.log.end();
  for (const line of ["\n", "\r\n", " \t\n", `${" ".repeat(1000)}\n`]) {
    const body = line.repeat(Math.floor(1_600_000 / line.length));
    const answer = await api.send("POST", "/items/bulk", body, ndjson);
    if (line.length > 999) expect([answer.status, answer.text]).toEqual([200, ""]);
    else expect([answer.status, answer.text]).toEqual([413, expect.stringContaining("40000 lines")]);
  }
  expect(await api.store.log.end()).toBe(before);
});

test("as many blank lines as records are fine, and count as lines", async () => {
  const answer = await api.send("POST", "/items/bulk", `${"\n".repeat(9999)}{"name":"x"}\n\n`, ndjson);
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('{"line":10000,"status":201')]);
});
