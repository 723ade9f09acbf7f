import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { item } from "../src/domain/item";
import { defineResource, Nullable } from "../src/domain/resource";

const define = (options: { name: string; plural?: string; exchange?: string }, fields = {}) =>
  defineResource({ ...options, fields, example: {} });

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
      expect(() => define({ name })).toThrow(`"${name}" cannot name a resource`);
      expect(() => define({ name })).toThrow('such as "order"');
    },
  );

  test.each(["id", "type", "version", "timestamp", "data", "event", "events", "meta", "relay"])(
    "refuses the name %p, which is taken",
    (name) => {
      expect(() => define({ name })).toThrow("taken are id, type, version, timestamp, data, event, events, meta, relay");
      expect(() => define({ name: "fine", plural: name })).toThrow(`"${name}" cannot name a resource`);
    },
  );

  test.each(["id", "version", "createdAt", "updatedAt"])("refuses the field %p, which the service fills in", (field) => {
    expect(() => define({ name: "order" }, { [field]: Type.String() })).toThrow(
      `Resource "order": the field "${field}" is filled in by the service; give yours another name.`,
    );
  });

  test("a nullable field is null when it is left out", () => {
    const schema = Nullable(Type.Number());
    expect(schema.default).toBeNull();
    expect([1, null, "1", undefined].map((value) => Value.Check(schema, value))).toEqual([true, true, false, false]);
  });
});
