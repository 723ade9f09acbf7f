// The body of an event: what is written, and that it reads back as it was.
import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import { Catalogue } from "../src/schema/catalogue";
import { type Event, parseEvent, resourceName, serializeEvent } from "../src/schema/event";
import { openApi } from "./support/api";
import { itemEvent, itemRecord } from "./support/arbitrary";
import { catalogue, order } from "./support/resources";

const record = {
  id: 1,
  name: "Sample Item",
  description: null,
  price: 9.99,
  version: 1,
  createdAt: "2026-02-18T18:23:45.123Z",
  updatedAt: "2026-02-18T18:23:45.123Z",
};
const event: Event = {
  id: "0198c5a0-0000-7000-8000-000000000000",
  type: "item.created",
  version: 1,
  timestamp: "2026-02-18T18:23:45.123Z",
};

describe("the body of an event", () => {
  test("is this text: the oldest part of the contract, for programs in any language", () => {
    expect(serializeEvent(event, "item", JSON.stringify(record))).toBe(
      '{"id":"0198c5a0-0000-7000-8000-000000000000","type":"item.created","version":1,' +
        '"item":{"id":1,"name":"Sample Item","description":null,"price":9.99,"version":1,' +
        '"createdAt":"2026-02-18T18:23:45.123Z","updatedAt":"2026-02-18T18:23:45.123Z"},' +
        '"timestamp":"2026-02-18T18:23:45.123Z"}',
    );
  });

  test("holds the record under the name of its resource", () => {
    const body = serializeEvent({ ...event, type: "order.deleted" }, "order", JSON.stringify({ id: 7 }));
    expect(Object.keys(JSON.parse(body))).toEqual(["id", "type", "version", "order", "timestamp"]);
    expect(resourceName("order.deleted")).toBe("order");
  });

  test("property: any valid event survives the round trip, with the order of its keys", () => {
    fc.assert(
      fc.property(itemEvent, itemRecord, fc.boolean(), (event, record, asBytes) => {
        const body = serializeEvent(event, "item", JSON.stringify(record));
        const parsed = parseEvent(asBytes ? Buffer.from(body) : body, catalogue);
        if (!parsed.ok) throw new Error(`${parsed.reason}: ${parsed.detail}`);
        const { id, type, version, timestamp } = event;
        expect(parsed.event as unknown).toStrictEqual({ id, type, version, item: record, timestamp });
        expect(Object.keys(parsed.event)).toEqual(["id", "type", "version", "item", "timestamp"]);
        expect(JSON.stringify(parsed.event)).toBe(body);
        expect(parsed.record as unknown).toStrictEqual(record);
        expect(parsed.resource.name).toBe("item");
      }),
    );
  });

  test("a resource with nested fields is read as well", () => {
    const fields = { ...order.example, lines: [{ item: 3, quantity: 1 }] };
    const body = serializeEvent(
      { ...event, type: "order.updated" },
      "order",
      JSON.stringify({ id: 9, ...fields, version: 2, createdAt: event.timestamp, updatedAt: event.timestamp }),
    );
    expect(parseEvent(body, catalogue)).toMatchObject({ ok: true, resource: order, record: { id: 9, lines: [{ item: 3, quantity: 1 }] } });
  });

  test("what a newer publisher adds is kept: it breaks no older consumer", () => {
    const body = JSON.stringify({ ...event, item: { ...record, colour: "red" }, actor: "Ada" });
    const parsed = parseEvent(body, catalogue);
    expect(parsed.ok && (parsed.event as unknown)).toEqual({ ...event, item: { ...record, colour: "red" }, actor: "Ada" });
  });

  test("the same in a process that serves the API: Elysia leaves the schema of the record as it is", async () => {
    const note = defineResource({ name: "note", fields: { text: Type.String() }, example: { text: "x" } });
    const api = openApi({ routes: [{ file: "notes.ts", path: "/notes", route: crud(note) }] });
    await api.send("GET", "/notes/1");
    await api.close();
    const body = JSON.stringify({ ...event, type: "note.created", note: { ...record, text: "x", colour: "red" } });
    expect(parseEvent(body, new Catalogue([note]))).toMatchObject({ ok: true, record: { colour: "red" } });
  });
});
