// Versions of event types: what an old message becomes, whoever wrote it.
import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import type { AskedTypes } from "warren/consumer";
import { defineResource, pastVersion } from "warren/resource";
import { buildEventOf, testConsumer } from "warren/testing";
import { Catalogue } from "../src/schema/catalogue";
import { type EventOf, parseEvent } from "../src/schema/event";
import { parcel } from "./support/versioned";

const catalogue = new Catalogue([parcel]);

const time = "2026-02-18T18:23:45.123Z";
const record = (fields: object) => ({ id: 7, ...fields, version: 1, createdAt: time, updatedAt: time });
const message = (type: string, version: number, fields: object, more: object = {}) =>
  JSON.stringify({ id: "one", type, version, parcel: record(fields), ...more, timestamp: time });

describe("the versions of an event type", () => {
  test("count the changes of the record and, for a custom event, of its data", () => {
    const versions = (type: string) => catalogue.eventType(type)?.shapes.length;
    expect(catalogue.eventTypes.map((type) => [type, versions(type)])).toEqual([
      ["parcel.created", 3],
      ["parcel.updated", 3],
      ["parcel.deleted", 3],
      ["parcel.shipped", 4],
      ["parcel.lost", 3],
    ] as never);
    expect(buildEventOf(parcel, "created").version).toBe(3);
    expect(buildEventOf(parcel, "shipped")).toMatchObject({ version: 4, parcel: { title: "Books" }, data: { carrier: "DHL" } });
  });

  test.each([
    ["parcel.created", 1, { name: "Books", cents: 250 }, {}, 3, { title: "Books", price: 2.5 }, undefined],
    ["parcel.created", 2, { name: "Books", price: null }, {}, 3, { title: "Books", price: null }, undefined],
    ["parcel.created", 3, { title: "Books", price: 1 }, {}, 3, { title: "Books", price: 1 }, undefined],
    ["parcel.shipped", 1, { name: "Books", cents: 250 }, { data: { by: "dhl" } }, 4, { title: "Books", price: 2.5 }, { carrier: "DHL" }],
    ["parcel.shipped", 2, { name: "Books", price: 2 }, { data: { by: "dhl" } }, 4, { title: "Books", price: 2 }, { carrier: "DHL" }],
    ["parcel.shipped", 3, { name: "Books", price: 2 }, { data: { carrier: "UPS" } }, 4, { title: "Books", price: 2 }, { carrier: "UPS" }],
  ])("%s version %d is read as the newest", (type, version, fields, more, newest, expected, data) => {
    const parsed = parseEvent(message(type, version, fields, more), catalogue);
    const event = { id: "one", type, version: newest, parcel: record(expected), ...(data && { data }), timestamp: time };
    expect(parsed.ok ? (parsed.event as unknown) : parsed.detail).toEqual(event);
    expect(parsed).toMatchObject({ ok: true, record: record(expected) });
  });

  test("what no version knows is kept on the way", () => {
    const parsed = parseEvent(message("parcel.created", 1, { name: "Books", cents: 250, colour: "red" }, { actor: "Ada" }), catalogue);
    expect(parsed).toMatchObject({ ok: true, event: { actor: "Ada", parcel: { colour: "red", title: "Books" } } as never });
  });

  test.each([
    ["a newer version", "parcel.created", 4, {}, {}, "unknown-version", "this program reads versions 1 to 3"],
    ["not what its own version has", "parcel.created", 1, { name: "x", price: 1 }, {}, "invalid", "/parcel/cents"],
    ["data that are not there", "parcel.shipped", 4, { title: "x", price: 1 }, {}, "invalid", "/data"],
    ["an upcaster that throws", "parcel.created", 2, { name: "bomb", price: 1 }, {}, "upcast-failed", "version 2 to 3: Error: no bombs"],
    ["an upcaster that makes nonsense", "parcel.created", 2, { name: "", price: 1 }, {}, "upcast-failed", "version 2 to 3: /parcel/title"],
  ])("%s is a dead letter with its reason", async (_, type, version, fields, more, reason, detail) => {
    await using consumer = testConsumer({ queue: "parcels", handle: () => {} }, { catalogue });
    const outcome = await consumer.deliver(message(type, version, fields, more));
    expect(outcome).toMatchObject({ action: "dead-letter", reason: reason as "invalid", error: expect.stringContaining(detail) });
    expect(await consumer.deliver(buildEventOf(parcel, "lost"))).toEqual({ action: "ack", result: "handled" });
  });

  test.each<[string, () => object, string]>([
    ["an async one that rejects", () => Promise.reject(new Error("late")), "it must not be async"],
    ["one that answers nothing", () => undefined as never, "it returned a value of type undefined, not an object"],
    ["one that answers null", () => null as never, "it returned null, not an object"],
    [
      "one that throws what cannot be shown",
      () => {
        throw Object.defineProperty(new Error(), "message", {
          get() {
            throw new Error("twice");
          },
        });
      },
      "cannot be shown",
    ],
    ["one that changes the id", () => ({ id: 99, title: 5 }), "/note/title"],
  ])("an upcaster that is no good, %s, ends as a reason", (_, up, detail) => {
    const past = [pastVersion({ fields: {}, up })];
    const note = defineResource({ name: "note", fields: { title: Type.String() }, example: { title: "x" }, past });
    const body = JSON.stringify({ id: "1", type: "note.created", version: 1, note: record({}), timestamp: time });
    const parsed = parseEvent(body, new Catalogue([note]));
    expect(parsed).toMatchObject({ ok: false, reason: "upcast-failed", detail: expect.stringContaining(detail) });
  });

  test("what the service fills in is not the upcaster's to change", () => {
    const past = [pastVersion({ fields: { a: Type.Integer() }, up: ({ a }) => ({ b: a, id: 99, version: 99 }) })];
    const note = defineResource({ name: "note", fields: { b: Type.Integer() }, example: { b: 1 }, past });
    const body = JSON.stringify({ id: "1", type: "note.created", version: 1, note: record({ a: 5 }), timestamp: time });
    expect(parseEvent(body, new Catalogue([note]))).toMatchObject({ ok: true, record: record({ b: 5 }) });
  });
});

describe("a consumer that asks for an older version", () => {
  const older = { versions: { "parcel.shipped": 3 } as AskedTypes };

  test("gets it, whichever version the message has", async () => {
    const seen: unknown[] = [];
    await using consumer = testConsumer({ queue: "parcels", ...older, handle: (event) => void seen.push(event) }, { catalogue });
    await consumer.deliver(message("parcel.shipped", 1, { name: "Books", cents: 250 }, { data: { by: "dhl" } }));
    await consumer.deliver(buildEventOf(parcel, "shipped"));
    await consumer.deliver(buildEventOf(parcel, "created"));
    expect(seen).toMatchObject([
      { version: 3, parcel: { name: "Books", price: 2.5 }, data: { carrier: "DHL" } },
      { version: 3, parcel: { name: "Books", price: 5 }, data: { carrier: "DHL" } },
      { version: 3, parcel: { title: "Books", price: 5 } },
    ]);
  });

  test("is refused where there is no way back, and for what there is not", () => {
    const ask = (versions: object) => () =>
      testConsumer({ queue: "parcels", versions: versions as AskedTypes, handle: () => {} }, { catalogue });
    expect(ask({ "parcel.created": 1 })).toThrow(
      'parcel.created cannot be converted to version 1, because there is no conversion from version 2 to version 1: add a `down` to that past version, where "parcel" is defined.',
    );
    expect(ask({ "parcel.created": 4 })).toThrow("parcel.created has versions 1 to 3, not 4.");
    expect(ask({ "parcel.*": 1 })).toThrow('use event types, such as "parcel.created", instead of the pattern "parcel.*"');
    expect(ask({ "parcel.burnt": 1 })).toThrow('Unknown event type "parcel.burnt"');
    expect(ask({ "parcel.shipped": 2 })).not.toThrow();
  });

  test("a way back that fails is a dead letter, too", async () => {
    const past = [pastVersion({ fields: { a: Type.Integer() }, up: ({ a }) => ({ b: a }), down: ({ b }) => ({ a: String(b) as never }) })];
    const note = defineResource({ name: "note", fields: { b: Type.Integer() }, example: { b: 1 }, past });
    const versions = { "note.created": 1 } as AskedTypes;
    await using consumer = testConsumer({ queue: "notes", versions, handle: () => {} }, { catalogue: new Catalogue([note]) });
    const outcome = await consumer.deliver(buildEventOf(note, "created"));
    expect(outcome).toMatchObject({ action: "dead-letter", reason: "downcast-failed", error: expect.stringContaining("/note/a") });
  });
});

test("events are typed in the newest version, or in the one that is asked for", () => {
  type Newest = EventOf<typeof parcel>;
  type Older = EventOf<typeof parcel, { "parcel.shipped": 1; "parcel.created": 2 }>;
  const newest = (event: Newest) => {
    const title: string = event.parcel.title;
    // @ts-expect-error it is called `title` now
    const name = event.parcel.name;
    // @ts-expect-error only some events have data
    const data = event.data;
    const carrier: string = event.type === "parcel.shipped" ? event.data.carrier : "";
    return [title, name, data, carrier];
  };
  const older = (event: Older) => {
    if (event.type === "parcel.created") {
      const [name, price]: [string, number | null] = [event.parcel.name, event.parcel.price];
      return [name, price];
    }
    if (event.type !== "parcel.shipped") return [event.parcel.title];
    const [cents, by]: [number, string] = [event.parcel.cents, event.data.by];
    // @ts-expect-error it was not there in version 1
    return [cents, by, event.data.carrier];
  };
  // @ts-expect-error there is no such event
  const wrongName = () => buildEventOf(parcel, "burnt");
  // @ts-expect-error a carrier is text
  const wrongData = () => buildEventOf(parcel, "shipped", {}, { data: { carrier: 1 } });
  expect([newest, older, wrongName, wrongData].map((each) => typeof each)).toEqual(Array(4).fill("function"));
});

test.each<[object, string]>([
  [{ events: { Shipped: {} } }, 'invalid event name "Shipped"'],
  [{ events: { created: {} } }, "Reserved: created, updated, deleted"],
  [{ past: [pastVersion({ event: "sent", fields: {}, up: () => ({}) })] }, 'a past version names the event "sent", which is not declared'],
  [{ past: [pastVersion({ fields: { version: Type.Integer() }, up: () => ({}) })] }, 'the field name "version" is reserved'],
])("a definition that makes no sense is refused: %j", (options, message) => {
  expect(() => defineResource({ name: "note", fields: {}, example: {}, ...options })).toThrow(message);
});
