// The difference between two states of a record.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { differences } from "../src/schema/difference";
import { itemRecord } from "./support/arbitrary";

describe("differences", () => {
  test("are the fields that a client changed, and not what every event changes", () => {
    const before = { id: 1, name: "a", price: 1, version: 1, createdAt: "x", updatedAt: "x" };
    expect(differences(before, { ...before, price: null, version: 2, updatedAt: "y" })).toEqual([{ field: "price", from: 1, to: null }]);
    expect(differences(before, before)).toEqual([]);
  });

  test("say what came and what went; null is a value", () => {
    expect(differences({ gone: null, same: null }, { same: null, come: undefined, new: 0 })).toEqual([
      { field: "gone", from: null },
      { field: "new", to: 0 },
    ]);
    expect(differences(undefined, { name: "a" })).toEqual([{ field: "name", to: "a" }]);
    expect(differences({ name: "a" }, undefined)).toEqual([{ field: "name", from: "a" }]);
  });

  test("name the place of a value in lists and objects", () => {
    const before = { lines: [{ item: 1, quantity: 1 }], address: { city: "London" }, tags: [] };
    const after = { lines: [{ item: 1, quantity: 2 }, { item: 2 }], address: { city: "Paris" }, tags: {} };
    expect(differences(before, after)).toEqual([
      { field: "lines[0].quantity", from: 1, to: 2 },
      { field: "address.city", from: "London", to: "Paris" },
      { field: "tags", from: [], to: {} },
      { field: "lines[1].item", to: 2 },
    ]);
  });

  test("of deeply nested values are reported as one", () => {
    const nested = (e: number) => ({ a: { b: { c: { d: { e } } } } });
    expect(differences(nested(1), nested(2))).toEqual([{ field: "a.b.c.d", from: { e: 1 }, to: { e: 2 } }]);
    const deep = (inner: string) => ({ a: JSON.parse("[".repeat(3000) + inner + "]".repeat(3000)) as unknown });
    expect(differences(deep("1"), deep("2")).map(({ field }) => field)).toEqual(["a[0][0][0]"]);
  });

  test("of any two records lead from one to the other", () => {
    fc.assert(
      fc.property(itemRecord, itemRecord, (before, after) => {
        const result: Record<string, unknown> = { ...before };
        for (const { field, to } of differences(before, after)) result[field] = to;
        const { id, version, createdAt, updatedAt } = after;
        expect({ ...result, id, version, createdAt, updatedAt }).toEqual(after);
      }),
    );
  });
});
