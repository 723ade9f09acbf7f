import { describe, expect, test } from "bun:test";
import { Kind, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { defineResource, Nullable } from "warren/resource";
import { item } from "../src/domain/item";

const define = (options: { name: string; plural?: string; exchange?: string }, fields = {}) =>
  defineResource({ ...options, fields, example: {} });

const time = "2026-02-18T18:23:45.123Z";

describe("defineResource", () => {
  test("derives plural, exchange, queue and event types from the name", () => {
    const { plural, exchange, queue, eventTypes } = define({ name: "order_line" });
    expect({ plural, exchange, queue, eventTypes }).toEqual({
      plural: "order_lines",
      exchange: "events",
      queue: "order_line_events",
      eventTypes: ["order_line.created", "order_line.updated", "order_line.deleted"] as never,
    });
    expect(define({ name: "person", plural: "people", exchange: "crm" })).toMatchObject({
      plural: "people",
      exchange: "crm",
      queue: "person_events",
    });
  });

  test("the record holds the fields between what the service fills in", () => {
    expect(Object.keys(item.record.properties)).toEqual(["id", "name", "description", "price", "version", "createdAt", "updatedAt"]);
  });

  test.each(["Order", "2nd", "order-line", "order.line", "", "_order", "orders;drop", "ordér", "o".repeat(42)])(
    "refuses the name %p and shows a good one",
    (name) => {
      expect(() => define({ name })).toThrow(TypeError);
      expect(() => define({ name })).toThrow(`Invalid resource name "${name}"`);
      expect(() => define({ name })).toThrow('such as "order"');
    },
  );

  const inBodies = ["id", "type", "version", "timestamp", "data", "actor", "line", "index", "status", "problem"];
  const tables = ["event", "events", "meta", "relay", "subscriptions", "idempotency_keys"];
  test.each([...inBodies, ...tables])("refuses the name %p, which is taken", (name) => {
    expect(() => define({ name })).toThrow(`Reserved: ${[...inBodies, ...tables].join(", ")}`);
    expect(() => define({ name: "fine", plural: name })).toThrow(`Invalid resource name "${name}"`);
  });

  test("refuses a name whose plural is taken", () => {
    expect(() => define({ name: "subscription" })).toThrow('Invalid resource name "subscriptions"');
  });

  test.each(["id", "version", "createdAt", "updatedAt"])("refuses the field %p, which the service fills in", (field) => {
    expect(() => define({ name: "order" }, { [field]: Type.String() })).toThrow(
      `Resource "order": the field name "${field}" is reserved, because the service sets it; use another name.`,
    );
  });

  test.each(["constructor", "toString", "hasOwnProperty"])("refuses the field %p, which every object has", (field) => {
    const define = () => defineResource({ name: "order", fields: { [field]: Type.String() }, example: { [field]: "x" } });
    expect(define).toThrow(`Resource "order": the field name "${field}" is one that every JavaScript object has; use another name.`);
  });

  test("a nullable field is null when it is left out", () => {
    const schema = Nullable(Type.Number());
    expect(schema.default).toBeNull();
    expect([1, null, "1", undefined].map((value) => Value.Check(schema, value))).toEqual([true, true, false, false]);
  });

  const city = Type.Object({ city: Type.String() });
  const short = Type.String({ maxLength: 50 });
  const many = {
    name: Type.String(),
    price: Nullable(Type.Number()),
    tags: Type.Array(Type.String()),
    "first name": Type.String(),
    sort: Type.String(),
    minPrice: Type.String(),
    dueAt: Type.String({ format: "date-time" }),
    day: Type.String({ format: "date" }),
    mixed: Type.Union([Type.String(), Type.Number()]),
    address: city,
    lines: Type.Array(city),
    short: Type.String({ maxLength: 200 }),
  };
  const defined = (options: object) => () => defineResource({ name: "order", fields: many, ...options, example: {} as never });
  const refused = (options: object, message: string) => expect(defined(options)).toThrow(new TypeError(`Resource "order": ${message}`));

  test.each<[Record<string, unknown>, string[], string]>([
    [{ colour: "prefix" }, [], 'a filter names the field "colour", which does not exist.'],
    [{ toString: "prefix" }, [], 'a filter names the field "toString", which does not exist.'],
    [{ "address.town": "exact" }, [], 'a filter names the field "address.town", which does not exist.'],
    [{ "lines.city": "exact" }, [], 'a filter names the field "lines.city", which does not exist.'],
    [{ price: "prefix" }, [], 'the field "price" cannot have the filter "prefix"; use "exact" or "range".'],
    [{ name: "range" }, [], 'the field "name" cannot have the filter "range"; use "exact" or "prefix".'],
    [{ dueAt: "prefix" }, [], 'the field "dueAt" cannot have the filter "prefix"; use "exact" or "range".'],
    [{ day: "contains" }, [], 'the field "day" cannot have the filter "contains"; use "exact" or "range" or "prefix".'],
    [{ tags: "prefix" }, [], 'the field "tags" cannot have the filter "prefix"; use "contains".'],
    [{ name: "suffix" }, [], 'the field "name" cannot have the filter "suffix"; use "exact" or "prefix".'],
    ...["mixed", "address", "lines"].map((field): [Record<string, string>, string[], string] => [
      { [field]: "exact" },
      [],
      `the field "${field}" cannot have the filter "exact"; only text, numbers, booleans and arrays of them have filters; use a field inside, such as "address.city".`,
    ]),
    [
      { "first name": "prefix" },
      [],
      'the field "first name" cannot have a filter; its name may contain only letters, digits and _, with a letter first.',
    ],
    [{ sort: "prefix" }, [], 'two query parameters would be named "sort"; rename a field.'],
    [{ name: ["exact", "prefix"] }, [], 'two query parameters would be named "name"; rename a field.'],
    [{ price: "range", minPrice: "prefix" }, [], 'two query parameters would be named "minPrice"; rename a field.'],
    [{ price: "range" }, ["name"], 'the field "name" has an index but no filter; add a filter or remove the index.'],
  ])("refuses the filters %p with the indexes %p", (filters, indexes, message) => refused({ filters, indexes }, message));

  test.each<[(string | string[])[], string]>([
    [["colour"], 'a sort order names the field "colour", which does not exist.'],
    [["-price"], 'the sort order "-price" needs no "-"; each order can be reversed.'],
    [[[]], 'a sort order has 1 to 4 fields; "" has 0.'],
    [[["price", "-price"]], 'the sort order "price,-price" names a field twice.'],
    [
      [
        ["price", "day"],
        ["-price", "-day"],
      ],
      'the sort order "-price,-day" exists already; remove it.',
    ],
    [["updatedAt"], 'the sort order "updatedAt" exists already; remove it.'],
    [["version"], 'a list cannot be sorted by "version"; use the sort order "id", which every list has.'],
    [["name"], 'a list cannot be sorted by "name"; declare a maxLength of at most 200 for its text.'],
    [["mixed"], 'a list cannot be sorted by "mixed"; its values must be all text, all numbers or all booleans.'],
    [["tags"], 'a list cannot be sorted by "tags"; its values must be all text, all numbers or all booleans.'],
  ])("refuses the sort orders %p", (sort, message) => refused({ sort }, message));

  test.each<[string[], string]>([
    [["colour"], 'the search names the field "colour", which does not exist.'],
    [["price"], 'the field "price" cannot be searched, because it is not text.'],
    [["name", "name"], 'the search names the field "name" twice.'],
  ])("refuses a search in %p", (search, message) => refused({ search }, message));

  const twins = { code: short, Code: short, createdat: short, 'say "hi"': short };
  test.each<[Record<string, unknown>, string]>([
    [{ unique: ["code", "Code"] }, 'the unique keys "code" and "Code" differ only in case; rename a field.'],
    [
      {
        unique: [
          ["code", "day"],
          ["Code", "day"],
        ],
      },
      'the unique keys "code,day" and "Code,day" differ only in case; rename a field.',
    ],
    [{ sort: ["code", "Code"] }, 'the indexes "code" and "Code" differ only in case; rename a field.'],
    [
      { filters: { code: "exact", Code: "exact" }, indexes: ["code", "Code"] },
      'the indexes "code" and "Code" differ only in case; rename a field.',
    ],
    [{ sort: ["createdat"] }, 'the indexes "createdAt" and "createdat" differ only in case; rename a field.'],
    [{ unique: ['say "hi"'] }, 'the name of the field in the unique key "say "hi"" contains a quotation mark; rename it.'],
  ])("refuses what would have the same table or index, or one that no database can have: %p", (options, message) =>
    refused({ ...options, fields: { ...many, ...twins } }, message),
  );

  test("takes only filters that fit the field's type", () => {
    const fields = {
      name: Type.String(),
      price: Nullable(Type.Integer()),
      state: Type.Union([Type.Literal("open"), Type.Literal("paid")]),
    };
    const example = { name: "x", price: null, state: "open" as const };
    const filters = { name: "prefix", price: "range", state: "prefix" } as const;
    expect(defineResource({ name: "order", fields, filters, indexes: ["price"], example })).toMatchObject({ filters, indexes: ["price"] });
    expect(defineResource({ name: "order", fields, example })).toMatchObject({ filters: {}, indexes: [] });
    // @ts-expect-error a number has no prefix
    expect(() => defineResource({ name: "order", fields, filters: { price: "prefix" }, example })).toThrow(TypeError);
    // @ts-expect-error an index of what is no filter
    expect(() => defineResource({ name: "order", fields, filters: { name: "prefix" }, indexes: ["price"], example })).toThrow(TypeError);
  });

  test("counts the length of text in code points, at every depth, and leaves the given schema alone", () => {
    const word = Type.String({ minLength: 2, maxLength: 3, pattern: "^[^x]*$" });
    const fields = { word, list: Type.Array(Type.Object({ word: Nullable(word) })) };
    const { record, fields: own } = defineResource({ name: "order", fields, example: { word: "ab", list: [] } });
    const check = TypeCompiler.Compile(own);
    for (const [text, valid] of [
      ["a", false],
      ["ab", true],
      ["abc", true],
      ["abcd", false],
      ["\u{1f430}", false],
      ["\u{1f430}\u{1f430}", true],
      ["\u{1f430}".repeat(3), true],
      ["\u{1f430}".repeat(4), false],
      ["\ud83d\ud83d", true],
      ["axb", false],
    ] as const) {
      const value = { word: text, list: [{ word: text }] };
      expect([text, Value.Check(own, value), check.Check(value)]).toEqual([text, valid, valid]);
      expect([...check.Errors(value)].map(({ path }) => path).slice(0, 1)).toEqual(valid ? [] : ["/word"]);
      expect(Value.Check(record, { id: 1, ...value, version: 1, createdAt: time, updatedAt: time })).toBe(valid);
    }
    expect([Value.Check(word, "\u{1f430}"), word[Kind]]).toEqual([true, "String"]);
  });
});
