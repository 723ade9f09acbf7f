// Whatever writes a record, routes of one's own included, what it writes is what a consumer can read.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "../src/crud/crud";
import { defineRoute } from "../src/routing/route";
import { Catalogue } from "../src/schema/catalogue";
import { defineResource } from "../src/schema/define-resource";
import { parseEvent } from "../src/schema/event";
import { pastVersion } from "../src/schema/past-version";
import { InvalidChange } from "../src/schema/refused-change";
import { Nullable, type RecordOf } from "../src/schema/resource";
import { openSqliteStore } from "../src/store/sqlite/store";
import { openApi, type TestApi } from "./support/api";
import { temporaryFolder } from "./support/folder";
import { testInFull } from "./support/in-full";
import { ticket, tickets } from "./support/ticket";

type Ticket = RecordOf<typeof ticket>;

const note = defineResource({
  name: "note",
  fields: { any: Type.Any(), record: Type.Record(Type.String(), Type.Unknown()), list: Type.Array(Type.Unknown()) },
  example: { any: 1, record: {}, list: [] },
});
const plain = { any: 1, record: {}, list: [] };
/** Alternatives, one of which has what may be left out. */
const shape = defineResource({
  name: "shape",
  fields: {
    form: Type.Union([
      Type.Object({ kind: Type.Literal("circle"), label: Nullable(Type.String()) }, { additionalProperties: false }),
      Type.Object({ kind: Type.Literal("square"), side: Type.Integer({ default: 1 }) }, { additionalProperties: false }),
    ]),
  },
  example: { form: { kind: "circle", label: null } },
});

/** A route that checks nothing of what it is sent. */
const retitle = defineRoute(({ storeFor }) =>
  new Elysia().put("", async ({ params, body, request }) => {
    const { title } = JSON.parse(String(body)) as { title: string };
    const stored = await storeFor(request).update(ticket, Number((params as { id: string }).id), (current) => ({ ...current, title }));
    return stored?.json;
  }),
);

let api: TestApi;
beforeEach(() => {
  api = openApi({
    resources: [ticket, note, shape],
    routes: [
      { file: "tickets.ts", path: "/tickets", route: crud(ticket) },
      { file: "tickets/[id]/title.ts", path: "/tickets/:id/title", route: retitle },
      { file: "shapes.ts", path: "/shapes", route: crud(shape) },
    ],
  });
});
afterEach(() => api.close());

const { example } = ticket;
const refusal = async (change: Promise<unknown>): Promise<InvalidChange> => {
  const [result] = await Promise.allSettled([change]);
  if (result?.status !== "rejected" || !(result.reason instanceof InvalidChange)) throw new Error(`Not refused: ${JSON.stringify(result)}`);
  return result.reason;
};

describe("the store refuses fields that are not valid, and nothing is changed", () => {
  const wrong: readonly [Partial<Ticket>, string][] = [
    [{ title: "" }, "/title: Expected string of at least 1 and at most 20 characters"],
    [{ email: "nobody" }, "/email: Expected string in the format email"],
    [{ price: 0.001 }, "/price: Expected number that is a multiple of 0.01 and at least 0"],
    [{ price: Number.NaN }, "/price: Expected number between -9007199254740991 and 9007199254740991"],
    [{ price: 2 ** 60 }, "/price: Expected number between -9007199254740991 and 9007199254740991"],
    [{ title: "a\0b" }, "/title: Expected string without NUL or lone surrogates"],
    [{ tags: ["\ud83d"] }, "/tags/0: Expected string without NUL or lone surrogates"],
    [{ tags: undefined as never }, "/tags: Expected required property"],
    [{ due: new Date(0) as never }, "/due: Expected a JSON value"],
  ];

  test.each(wrong)("insert: %p", async (fields, mistake) => {
    expect((await refusal(api.store.insert(ticket, { ...example, ...fields }))).message).toBe(`The ticket would not be valid. ${mistake}`);
    expect(await api.events()).toEqual([]);
  });

  test.each(wrong)("update: %p, also where the change writes into the record that it is given", async (fields, mistake) => {
    const before = await api.store.insert(ticket, example);
    for (const change of [(current: Ticket) => ({ ...current, ...fields }), (current: Ticket) => Object.assign(current, fields)]) {
      expect((await refusal(api.store.update(ticket, 1, change))).message).toBe(`The ticket would not be valid. ${mistake}`);
    }
    expect([await api.store.get(ticket, 1), (await api.events()).length]).toEqual([before, 1]);
  });

  test.each(wrong)("insertAll: %p, and says which of them it is", async (fields, mistake) => {
    const several = [example, { ...example, ...fields }, example];
    expect((await refusal(api.store.insertAll(ticket, several, () => ""))).message).toBe(`The ticket would not be valid. /1${mistake}`);
    expect(await api.events()).toEqual([]);
  });

  test("the data of events, with any change", async () => {
    await api.store.insert(ticket, example);
    const emit = { closed: { by: "Eve", hours: 0.3 } };
    const summary = "The data of the event ticket.closed is not valid.";
    for (const change of [
      api.store.insert(ticket, example, { emit }),
      api.store.update(ticket, 1, (current) => current, { emit }),
      api.store.remove(ticket, 1, { emit }),
    ]) {
      expect(await refusal(change)).toMatchObject({ summary, mistakes: [{ pointer: "/by" }, { pointer: "/hours" }] });
    }
    expect(await api.events()).toHaveLength(1);
  });

  testInFull("what is not an object, or comes later", async () => {
    const before = await api.store.insert(ticket, example);
    const late = async () => {
      await 0;
      throw new Error("late");
    };
    for (const change of [() => undefined, () => null, () => "text", async () => example, late]) {
      const changed = api.store.update(ticket, 1, change as never);
      await expect(changed).rejects.toThrow("The fields of the ticket must be an object; a change must return them and must not be async.");
    }
    expect([await api.store.get(ticket, 1), (await api.events()).length]).toEqual([before, 1]);
  });

  test("an upcast at the start", async () => {
    const folder = temporaryFolder();
    const file = join(folder.path, "notes.db");
    const first = openSqliteStore(file, [note]);
    await first.insert(note, plain);
    await first.close();
    const up = (fields: object) => ({ ...fields, list: [Number.POSITIVE_INFINITY] });
    const newer = defineResource({
      name: "note",
      fields: note.fields.properties,
      example: plain as never,
      past: [pastVersion({ fields: {}, up })],
    });
    expect(() => openSqliteStore(file, [newer])).toThrow("note 1 cannot be converted to the newest schema; nothing was changed.");
    const db = new Database(file);
    expect(JSON.parse((db.query("SELECT json FROM notes").get() as { json: string }).json)).toMatchObject(plain);
    db.close();
    folder.remove();
  });
});

describe("what a schema leaves open is stored only as JSON keeps it", () => {
  class Point {
    constructor(readonly x: number) {}
  }
  const deep = (levels: number): unknown => (levels === 0 ? 0 : [deep(levels - 1)]);
  test.each<[object, string]>([
    [{ any: undefined }, "/any"],
    [{ any: () => 1 }, "/any"],
    [{ any: 1n }, "/any"],
    [{ any: new Map() }, "/any"],
    [{ any: new Point(1) }, "/any"],
    [{ any: { toJSON: () => "x" } }, "/any/toJSON"],
    [{ any: [1, undefined] }, "/any/1"],
    [{ list: Array(2) }, "/list/0"],
    [{ record: { "a\0": 1 } }, "/record/a\0"],
    [{ record: { a: Number.POSITIVE_INFINITY } }, "/record/a"],
    [{ any: deep(64) }, ""],
  ])("%p is refused", async (fields, pointer) => {
    expect((await refusal(api.store.insert(note, { ...plain, ...fields }))).mistakes[0]?.pointer).toBe(pointer);
  });

  test.each<[object, object]>([
    [{ any: null }, { any: null }],
    [{ any: { a: undefined, b: 1 } }, { any: { b: 1 } }],
    [{ any: Object.assign(Object.create(null), { a: 1 }) }, { any: { a: 1 } }],
    [{ list: [deep(61)] }, { list: [deep(61)] }],
    [{ id: 7, colour: "red" }, {}],
  ])("%p is stored", async (fields, stored) => {
    const { json } = await api.store.insert(note, { ...plain, ...fields });
    expect(JSON.parse(json)).toMatchObject({ id: 1, version: 1, ...plain, ...stored });
  });
});

describe("over HTTP", () => {
  test("a route whose change is not valid answers 422 with the places, and the log says that it took too much", async () => {
    await api.send("POST", "/tickets", example);
    const answer = await api.send("PUT", "/tickets/1/title", JSON.stringify({ title: "" }), { "content-type": "text/plain" });
    expect([answer.status, answer.json()]).toEqual([
      422,
      expect.objectContaining({
        type: "/problems/invalid",
        detail: "The ticket would not be valid.",
        errors: [{ pointer: "/title", detail: "Expected string of at least 1 and at most 20 characters" }],
      }),
    ]);
    expect(api.lines.filter(({ level }) => level === "warn").map(({ msg, path }) => [msg, path])).toEqual([
      ["Change refused: the route accepts values that the record's schema does not", "/tickets/1/title"],
    ]);
    expect(await api.events()).toHaveLength(1);
  });

  test("what may be left out of one of several alternatives is filled in: each event can be read", async () => {
    for (const [form, filled] of [
      [{ kind: "circle" }, { kind: "circle", label: null }],
      [{ kind: "square" }, { kind: "square", side: 1 }],
      [
        { kind: "square", side: 2 },
        { kind: "square", side: 2 },
      ],
    ]) {
      const created = await api.send("POST", "/shapes", { form });
      expect([created.status, created.json<{ form: object }>().form]).toEqual([201, filled as object]);
    }
    expect((await api.send("POST", "/shapes/bulk", [{ form: { kind: "circle" } }])).json()).toMatchObject({ created: 1 });
    for (const event of await api.events()) expect(parseEvent(JSON.stringify(event), new Catalogue([shape])).ok).toBe(true);
  });
});

describe("a change that changes nothing", () => {
  const types = async () => (await api.events()).map(({ type }) => type);

  test.each<[string, object]>([
    ["PATCH", {}],
    ["PATCH", { title: example.title }],
    ["PATCH", { due: null, tags: example.tags }],
    ["PUT", example],
    ["PUT", { ...example, due: undefined }],
  ])("%s %j: 200 with the record as it is, the same version and ETag, and no event", async (method, body) => {
    const created = await api.send("POST", "/tickets", example);
    const answer = await api.send(method, "/tickets/1", body);
    expect([answer.status, answer.text, answer.headers.get("etag")]).toEqual([200, created.text, created.headers.get("etag")]);
    expect(await types()).toEqual(["ticket.created"]);
  });

  test("the order of keys is no change; of a list it is", async () => {
    await api.store.insert(note, { ...plain, record: { a: 1, b: { c: 2, d: 3 } }, list: [1, 2] });
    const reordered = await api.store.update(note, 1, () => ({ list: [1, 2], any: 1, record: { b: { d: 3, c: 2 }, a: 1 } }));
    const turned = await api.store.update(note, 1, (current) => ({ ...current, list: [2, 1] }));
    expect([reordered?.version, turned?.version]).toEqual([1, 2]);
  });

  test("is still refused by If-Match and by what is not valid, and 404 where there is no record", async () => {
    await api.send("POST", "/tickets", example);
    const [unmet, invalid, missing] = await Promise.all([
      api.send("PATCH", "/tickets/1", "{}", { "content-type": "application/json", "if-match": '"0-old"' }),
      api.send("PATCH", "/tickets/1", { colour: "red" }),
      api.send("PATCH", "/tickets/2", {}),
    ]);
    expect([unmet.status, invalid.status, missing.status]).toEqual([412, 422, 404]);
  });

  test("sees the changes under way: the second of two that are the same changes nothing", async () => {
    await api.store.insert(ticket, example);
    const change = (current: Ticket) => ({ ...current, title: "Other" });
    const both = await Promise.all([api.store.update(ticket, 1, change), api.store.update(ticket, 1, change)]);
    expect(both.map((stored) => stored?.version)).toEqual([2, 2]);
    expect(await types()).toEqual(["ticket.created", "ticket.updated"]);
  });

  test("publishes the events that come with it, about the record as it is", async () => {
    const { json } = await api.store.insert(ticket, example);
    const stored = await api.store.update(ticket, 1, (current) => current, { emit: { closed: { by: "eve@example.com", hours: 1 } } });
    expect(stored?.json).toBe(json);
    const [, closed] = await api.events();
    expect(closed).toMatchObject({ type: "ticket.closed", ticket: JSON.parse(json), data: { hours: 1 } });
    expect(await types()).toEqual(["ticket.created", "ticket.closed"]);
    expect(parseEvent(JSON.stringify(closed), tickets).ok).toBe(true);
  });
});

describe("null in a patch", () => {
  test("puts a field with a default back to it, takes an optional one away, and is no value of a required one", async () => {
    await api.send("POST", "/tickets", { ...example, price: 5, tags: ["a"], code: "AB", place: { site: "https://example.com" } });
    const patched = await api.send("PATCH", "/tickets/1", { price: null, tags: null, code: null, place: null });
    expect([patched.status, patched.json()]).toEqual([200, expect.objectContaining({ price: 0, tags: ["new"], version: 2 })]);
    expect(Object.keys(patched.json<object>())).not.toContain("code");
    expect(Object.keys(patched.json<object>())).not.toContain("place");
    const refused = await api.send("PATCH", "/tickets/1", { title: null, email: null });
    expect(refused.json()).toMatchObject({
      status: 422,
      errors: [
        { pointer: "/title", detail: "Expected string of at least 1 and at most 20 characters" },
        { pointer: "/email", detail: "Expected string in the format email" },
      ],
    });
    for (const event of await api.events()) expect(parseEvent(JSON.stringify(event), tickets).ok).toBe(true);
  });
});
