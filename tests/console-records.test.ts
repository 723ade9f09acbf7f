// What the console's page Data works out: fields and filters from schemas, what a form asks for, and what a lost race is about.
import { describe, expect, test } from "bun:test";
import { draftsOf, fieldsIn, newDrafts, patchOf } from "../src/console/page/records/drafts";
import { fieldAt, fieldsOf } from "../src/console/page/records/fields";
import { columnsOf, listQuery, parametersOf, sortsOf } from "../src/console/page/records/listing";
import { differencesOf, rebased } from "../src/console/page/records/race";

const orNull = (schema: object) => ({ anyOf: [schema, { type: "null" }] });
const properties = {
  title: { type: "string", minLength: 1, maxLength: 200 },
  body: orNull({ type: "string", maxLength: 10_000 }),
  state: {
    anyOf: [
      { const: "open", type: "string" },
      { const: "closed", type: "string" },
    ],
  },
  urgent: { type: "boolean", default: false },
  hours: { type: "number" },
  dueAt: orNull({ type: "string", format: "date-time" }),
  day: { type: "string", format: "date" },
  tags: { type: "array", items: { type: "string" } },
  address: { type: "object", properties: { city: { type: "string", maxLength: 80 } }, required: ["city"] },
};
const input = { type: "object", properties, required: Object.keys(properties).filter((name) => name !== "day") };
const own = { id: { type: "integer" }, version: { type: "integer" }, updatedAt: { type: "string", format: "date-time" } };
const record = { ...input, properties: { ...own, ...properties }, required: [...Object.keys(own), ...input.required] };
const fields = fieldsOf(input);
const ticket = {
  ...{ title: "Door", body: null, state: "open", urgent: true, hours: 1.5, dueAt: null, day: "2026-11-30" },
  ...{ tags: ["red"], address: { city: "London" } },
};

describe("a form", () => {
  test("has a control for each field", () => {
    expect(fields.map(({ name, kind, isNullable, isRequired }) => `${name} ${kind} ${isNullable} ${isRequired}`)).toEqual([
      "title text false true",
      "body long true true",
      "state choice false true",
      "urgent choice false true",
      "hours number false true",
      "dueAt text true true",
      "day text false false",
      "tags json false true",
      "address json false true",
    ]);
    expect(fieldAt(input, "address.city")).toMatchObject({ name: "address.city", kind: "text", isRequired: true });
    expect(fieldAt(input, "address.street")).toBeUndefined();
  });

  test("asks for what it says, and leaves as it was what was not changed", () => {
    const odd = { ...ticket, title: "", body: "", secret: 1 };
    expect(fieldsIn(fields, draftsOf(fields, odd), odd)).toEqual({ ...ticket, title: "", body: "" });
    const changed = {
      ...draftsOf(fields, ticket),
      title: "",
      body: "x",
      state: "closed",
      urgent: "false",
      hours: "2",
      tags: "[]",
      day: "",
    };
    const { day: _, ...rest } = ticket;
    expect(fieldsIn(fields, changed, ticket)).toEqual({
      ...{ ...rest, title: "", body: "x", state: "closed", urgent: false, hours: 2, tags: [] },
    });
  });

  test("for a new record begins with the defaults, and leaves the rest to the API", () => {
    expect(fieldsIn(fields, newDrafts(fields))).toEqual({ title: "", body: null, urgent: false, dueAt: null });
    const wrong = { ...newDrafts(fields), hours: "many", state: "ajar" };
    expect(fieldsIn(fields, wrong)).toMatchObject({ hours: "many", state: "ajar" });
    for (const hours of [" ", "Infinity", "0x"]) expect(fieldsIn(fields, { ...wrong, hours })).toMatchObject({ hours });
    expect(() => fieldsIn(fields, { tags: "[red" })).toThrow("tags is not JSON");
  });

  test("becomes a merge patch where records cannot be replaced", () => {
    expect(patchOf({ a: 1, b: { c: 1, d: [1] }, e: 2 }, { a: 1, b: { d: [2] }, f: null })).toEqual({
      b: { c: null, d: [2] },
      e: null,
      f: null,
    });
    expect(patchOf(ticket, ticket)).toEqual({});
  });
});

test("a lost race names what others have changed, and keeps what one has changed oneself", () => {
  const now = { ...ticket, title: "Gate", hours: 3, version: 3 };
  const drafts = { ...draftsOf(fields, ticket), title: "Window", body: "broken" };
  expect(differencesOf(fields, drafts, { ...ticket, version: 2 }, now)).toEqual([
    { name: "title", was: "Door", now: "Gate", mine: "Window" },
    { name: "hours", was: 1.5, now: 3, mine: undefined },
  ]);
  const next = rebased(fields, drafts, ticket, now);
  expect(next).toMatchObject({ title: "Window", body: "broken", hours: "3" });
  expect(fieldsIn(fields, next, now)).toMatchObject({ title: "Window", body: "broken", hours: 3 });
});

describe("a list", () => {
  const filters = {
    ...{ title: ["prefix"], state: ["exact"], urgent: ["exact"], tags: ["contains"], hours: ["range"] },
    ...{ dueAt: ["exact", "range"], "address.city": ["exact"] },
  };
  const resource = {
    ...{ name: "ticket", plural: "tickets", path: "/tickets", exchange: "tickets", queue: "ticket_events", isRetired: false },
    ...{ record, input, example: ticket, filters, sorts: ["id", "createdAt", "updatedAt", "state,-dueAt"], isSearchable: true },
    ...{ unique: [], references: [], events: [] },
  };

  test("has the filters of its resource", () => {
    expect(parametersOf(resource).map(({ name, kind, words, nullName }) => [name, kind, words.join(), nullName])).toEqual([
      ["title", "text", "", undefined],
      ["state", "words", "open,closed", undefined],
      ["urgent", "words", "true,false", undefined],
      ["tags", "text", "", undefined],
      ["minHours", "number", "", undefined],
      ["maxHours", "number", "", undefined],
      ["dueAt", "text", "", "dueAt.null"],
      ["minDueAt", "day", "", undefined],
      ["maxDueAt", "day", "", undefined],
      ["address.city", "text", "", undefined],
    ]);
  });

  test("asks the API for what its link says, as far as the resource has it", () => {
    const query = (link: string) => decodeURIComponent(listQuery(resource, new URLSearchParams(link)).toString());
    expect(query("")).toBe("limit=50&sort=-id");
    expect(query("tags=red, new,red&state=open&dueAt.null=true&nothing=1&after=abc&sort=-state,dueAt")).toBe(
      "limit=50&state=open&tags=red&tags=new&dueAt.null=true&sort=-state,dueAt&after=abc",
    );
    expect(query("search=door&sort=updatedAt")).toBe("limit=50&search=door&sort=-id");
    expect(query("search=door&sort=relevance")).toBe("limit=50&search=door&sort=relevance");
  });

  test("has every order in both directions", () => {
    expect(sortsOf(resource, false).map(({ value }) => value)).toEqual([
      ...["-id", "id", "createdAt", "-createdAt", "updatedAt", "-updatedAt", "state,-dueAt", "-state,dueAt"],
    ]);
    expect(sortsOf(resource, false).at(-1)?.name).toBe("state, descending; dueAt");
    expect(sortsOf(resource, true).map(({ value }) => value)).toEqual(["-id", "id", "relevance"]);
  });

  test("has columns for what is one value first", () => {
    expect(columnsOf(resource)).toEqual(["title", "state", "urgent", "hours", "dueAt"]);
    expect(columnsOf({ record: { ...record, properties: { ...own, body: properties.body, day: properties.day } } })).toEqual([
      "body",
      "day",
    ]);
  });
});
