// Validity is the same everywhere: over HTTP, in every process that reads events, in the store and in the test kit.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { crud } from "warren/crud";
import { defineResource, pastVersion } from "warren/resource";
import { buildEventOf, testConsumer } from "warren/testing";
import { isMultiple } from "../src/schema/decimal";
import { parseEvent } from "../src/schema/event";
import { formats } from "../src/schema/formats";
import { publishedBy } from "../src/schema/published";
import { openApi, type TestApi } from "./support/api";
import { pageText } from "./support/doc-pages";
import { root } from "./support/processes";
import { ticket, tickets } from "./support/ticket";

const { example } = ticket;
const event = (fields: object, data?: object) =>
  JSON.stringify({ ...buildEventOf(ticket, data ? "closed" : "created", fields), ...(data && { data }) });

/** Fields of a ticket, and where the mistake is; null: there is none. */
const samples: readonly [object, string | null][] = [
  [{}, null],
  [{ email: "ada@example" }, "/email"],
  [{ email: "" }, "/email"],
  [{ due: "2026-11-29T08:00:00Z" }, null],
  [{ due: "2026-02-30T08:00:00Z" }, "/due"],
  [{ due: "tomorrow" }, "/due"],
  [{ place: { site: "https://example.com/a" } }, null],
  [{ place: { site: "nowhere" } }, "/place/site"],
  [{ title: "" }, "/title"],
  [{ title: "\u{1f430}".repeat(20) }, null],
  [{ title: "\u{1f430}".repeat(21) }, "/title"],
  [{ code: "É\u{1f430}" }, null],
  [{ code: "éa" }, "/code"],
  [{ code: "Abc" }, "/code"],
  [{ price: 9.99 }, null],
  [{ price: 0.1 }, null],
  [{ price: 9.995 }, "/price"],
  [{ price: -1 }, "/price"],
  [{ price: "1" }, "/price"],
  [{ tags: ["a", "far too long"] }, "/tags/1"],
];

let api: TestApi;
beforeAll(() => {
  api = openApi({ resources: [ticket], routes: [{ file: "tickets.ts", path: "/tickets", route: crud(ticket) }] });
});
afterAll(() => api.close());

interface Mistake {
  readonly pointer: string;
  readonly detail: string;
}

async function refusalOf(fields: object): Promise<readonly Mistake[] | null> {
  const answer = await api.send("POST", "/tickets", { ...example, ...fields });
  return answer.status === 201 ? null : answer.json<{ errors: Mistake[] }>().errors;
}

describe("a request and an event of the same record", () => {
  test.each(samples)("%j: both are valid, or refused at the same place in the same words", async (fields, place) => {
    const refused = await refusalOf(fields);
    const parsed = parseEvent(event(fields), tickets);
    await using consumer = testConsumer({ queue: "tickets", events: ["#"], handle: () => {} }, { catalogue: tickets });
    const outcome = await consumer.deliver(event(fields));
    if (place === null) {
      expect([refused, parsed.ok, outcome.action]).toEqual([null, true, "ack"]);
      return;
    }
    expect(refused?.map(({ pointer }) => pointer)).toEqual([place]);
    const words = refused?.map(({ pointer, detail }) => `/ticket${pointer}: ${detail}`).join("; ") ?? "";
    expect(parsed).toEqual({ ok: false, reason: "invalid", detail: words });
    expect(outcome).toMatchObject({ action: "dead-letter", reason: "invalid", error: words });
    expect(words).not.toMatch(/kind|warren/);
  });

  test("several mistakes are listed, and those beyond the fifth are counted", async () => {
    const fields = { title: 1, email: 2, due: 3, code: 4, price: 5.001, tags: 6 };
    const refused = (await refusalOf(fields)) ?? [];
    const parsed = parseEvent(event(fields), tickets);
    const listed = refused.slice(0, 5).map(({ pointer, detail }) => `/ticket${pointer}: ${detail}`);
    expect(refused).toHaveLength(6);
    expect(parsed).toMatchObject({ detail: `${listed.join("; ")}; and 1 more` });
  });

  test.each<[unknown, string, string]>([
    ["no object", "not-an-event", "Expected object"],
    [[], "not-an-event", "Expected object"],
    [
      {},
      "not-an-event",
      "/id: 1 to 200 characters. A UUIDv7, the same for every delivery of the event.; /type: Expected required property; /version: An integer from 1",
    ],
    [{ ...JSON.parse(event({})), version: 0 }, "not-an-event", "/version: "],
    [{ ...JSON.parse(event({})), id: "" }, "not-an-event", "/id: "],
    [{ ...JSON.parse(event({})), ticket: undefined }, "invalid", "/ticket: Expected object"],
    [{ ...JSON.parse(event({})), ticket: "none" }, "invalid", "/ticket: Expected object"],
    [JSON.parse(event({}, { by: "Eve", hours: 0.3 })), "invalid", "/data/by: Expected string in the format email; /data/hours: Expected"],
  ])("of %j it is said what was expected, and where", (message, reason, detail) => {
    const parsed = parseEvent(JSON.stringify(message), tickets);
    if (parsed.ok) throw new Error("It was read.");
    expect([parsed.reason, parsed.detail.slice(0, detail.length)]).toEqual([reason, detail]);
  });
});

describe("which modules a process has loaded makes no difference", () => {
  const poison = `${root}/tests/support/poisoned-registries.ts`;
  const lines = samples.map(([fields]) => event(fields));
  const expected = lines.map((line) => {
    const parsed = parseEvent(line, tickets);
    return parsed.ok ? "valid" : `${parsed.reason}: ${parsed.detail}`;
  });
  test.each([
    ["none", "", ""],
    ["Elysia before", "elysia", ""],
    ["Elysia after", "", "elysia"],
    ["a module with registrations of its own", poison, ""],
    ["the same after Elysia", `elysia,${poison}`, ""],
  ])("%s", async (_, before, after) => {
    const child = Bun.spawn([process.execPath, "--no-env-file", "tests/support/verdicts.ts", before, after], {
      cwd: root,
      stdin: new Blob([lines.join("\n")]),
      stderr: "inherit",
    });
    expect((await child.stdout.text()).trim().split("\n")).toEqual(expected);
  });
});

describe("a decimal multiple", () => {
  test.each([
    [9.99, 0.01, true],
    [0.1, 0.01, true],
    [0.07, 0.01, true],
    [1.15, 0.05, true],
    [4.35, 0.01, true],
    [1e21, 0.01, true],
    [1.5e-7, 5e-8, true],
    [-9.99, 0.01, true],
    [0, 0.01, true],
    [9.995, 0.01, false],
    [0.3, 0.2, false],
    [0.1 + 0.2, 0.1, false],
    [7, 3, false],
    [9, 3, true],
    [2.5, 1, false],
  ])("%d of %d: %p", (value, factor, expected) => {
    expect(isMultiple(value, factor)).toBe(expected);
  });

  test("property: every number of so many digits is one, and no number of more digits", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e12, max: 1e12 }),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        (n, digits, digit) => {
          const number = Number(`${n}e-${digits}`);
          expect(isMultiple(number, Number(`1e-${digits}`))).toBe(true);
          if (n !== 0) expect(isMultiple(Number(`${n}${digit}e-${digits + 1}`), Number(`1e-${digits}`))).toBe(false);
        },
      ),
    );
  });
});

describe("the formats", () => {
  test.each([
    ["date-time", "2026-11-29T08:00:00.123+01:00", "2026-11-29"],
    ["date", "2028-02-29", "2026-02-29"],
    ["time", "08:00:00Z", "8 o'clock"],
    ["duration", "P1DT2H", "1 day"],
    ["email", "ada@example.com", "ada@"],
    ["hostname", "example.com", "exa mple"],
    ["ipv4", "127.0.0.1", "127.0.0.256"],
    ["ipv6", "::1", "127.0.0.1"],
    ["uri", "https://example.com/?a=b", "//example.com"],
    ["uri-reference", "../a?b#c", "\\a"],
    ["uri-template", "/items/{id}", "/items/{id"],
    ["uuid", "019ab790-8c6e-7000-a9c7-a7d37be9ec58", "019ab790"],
    ["json-pointer", "/a~1b/0", "a"],
    ["relative-json-pointer", "1/a", "/a"],
    ["regex", "^a+$", "("],
  ])("%s", (name, good, bad) => {
    expect([good, bad].map((text) => formats.get(name)?.(text))).toEqual([true, false]);
  });
  test.each([...formats])("%s: an event of one's own is made up with it", (format, check) => {
    const at = Type.String({ format });
    const memo = defineResource({
      name: "memo",
      fields: {},
      example: {},
      events: { sent: { at, code: Type.String({ format, minLength: 2 }) } },
    });
    const { data } = buildEventOf(memo, "sent");
    expect([check(data.at), check(data.code)]).toEqual([true, true]);
  });

  test("are those that the documentation lists", () => {
    expect(
      pageText("docs/guide/resource.md")
        .replace(/\s+/g, " ")
        .includes([...formats.keys()].map((name) => `\`${name}\``).join(", ")),
    ).toBe(true);
  });
});

describe("defineResource refuses what not every process could check", () => {
  const define =
    (field: unknown, example: unknown = "a") =>
    () =>
      defineResource({ name: "note", fields: { field: field as ReturnType<typeof Type.String> }, example: { field: example } as never });

  const custom = { ...Type.String(), [Object.getOwnPropertySymbols(Type.String())[0] as symbol]: "UnionEnum" };
  test.each<[string, unknown, string]>([
    ["an unknown format", Type.String({ format: "e-mail" }), 'has the unknown format "e-mail". Known: date-time, date, time,'],
    ["a format within a list", Type.Array(Type.String({ format: "url" })), 'the field "field[]" has the unknown format "url"'],
    ["one within an object", Type.Object({ a: Type.String({ format: "url" }) }), 'the field "field.a" has the unknown format "url"'],
    ["a pattern that cannot be read", Type.String({ pattern: "(" }), "has the pattern (, which is not a valid regular expression"],
    ["a regular expression with flags", Type.RegExp(/a/i), "use Type.String({ pattern }), because JSON Schema patterns have no flags"],
    ["a date", Type.Date(), 'use Type.String({ format: "date-time" })'],
    ["an integer of any size", Type.BigInt(), "use Type.String({ pattern })"],
    ["a kind that another library registers", custom, 'is of the kind "UnionEnum", which is not a JSON type or not known to every process'],
    ["a schema that checks nothing", Type.Unsafe({ type: "string", enum: ["a"] }), "pass Type.Unsafe a schema that can be checked"],
    ["a transform", Type.Transform(Type.String()).Decode(Number).Encode(String), "is a transform"],
    ["no schema of TypeBox", { type: "string" }, "is not a schema; create it with Type from @sinclair/typebox"],
    ["a multipleOf of 0", Type.Number({ multipleOf: 0 }), "has the multipleOf 0; use a number greater than 0"],
    ["a default that is not valid", Type.String({ minLength: 2, default: "" }), "has a default that does not match the schema"],
    ["an example that is not valid", Type.String({ minLength: 2, examples: ["ab", "a"] }), "has an example that does not match the schema"],
  ])("%s", (_, schema, message) => {
    expect(define(schema)).toThrow(TypeError);
    expect(define(schema)).toThrow(message);
    const past = () => pastVersion({ fields: { field: schema as ReturnType<typeof Type.String> }, up: () => ({}) });
    expect(past).toThrow('In a past version, the field "field');
    const events = { sent: { field: schema as ReturnType<typeof Type.String> } };
    const inEvent = () => defineResource({ name: "note", fields: {}, example: {}, events });
    expect(inEvent).toThrow(`Resource "note": in the data of the event "sent", the field "field`);
  });

  test.each<[unknown, unknown, string]>([
    [Type.Number({ multipleOf: 0.01 }), 9.999, "/field: Expected number that is a multiple of 0.01"],
    [Type.String({ format: "email" }), "ada", "/field: Expected string in the format email"],
    [Type.String({ maxLength: 1 }), "ab", "/field: Expected string of at most 1 characters"],
    [Type.Number(), Number.NaN, "/field: Expected number"],
  ])("an example that a request could not have: %j %p", (schema, value, message) => {
    expect(define(schema, value)).toThrow(new TypeError(`Resource "note": the example is not valid: ${message}`));
  });

  test("and takes a schema that another resource has been made with, or that wraps a checked one", () => {
    const note = defineResource({ name: "note", fields: { ...ticket.fields.properties }, example: example as never });
    expect(note.fields.properties).toEqual(ticket.fields.properties);
    expect(define(Type.Unsafe<string>(Type.String({ format: "email" })), "ada@example.com")).not.toThrow();
    const tree = Type.Recursive((This) => Type.Object({ name: Type.String({ minLength: 1 }), children: Type.Array(This) }), {
      $id: "tree",
    });
    expect(define(tree, { name: "a", children: [{ name: "b", children: [] }] })).not.toThrow();
    expect(define(tree, { name: "a", children: [{ name: "", children: [] }] })).toThrow(
      "/field/children/0/name: Expected string of at least 1",
    );
  });
});

test("what is published has the keywords of JSON Schema", () => {
  const properties = publishedBy(tickets, {})["ticket.created"]?.["1"]?.schema["ticket"]?.["properties"];
  expect(properties).toMatchObject({
    email: { type: "string", format: "email" },
    price: { type: "number", multipleOf: 0.01, minimum: 0 },
    code: { type: "string", pattern: "^\\p{Lu}.$" },
  });
  expect(publishedBy(tickets, {})["ticket.closed"]?.["1"]?.example).toMatchObject({ data: { by: "eve@example.com", hours: 0 } });
});
