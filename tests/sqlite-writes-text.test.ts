// The writes of changes go to the thread that commits as one text, which preserves them.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Value, Writes } from "../src/store/sqlite/commit/uncommitted";
import { parseWrites, serializeWrites } from "../src/store/sqlite/commit/writes-text";
import { anyText } from "./support/arbitrary";

const throughText = (writes: Writes) => parseWrites(serializeWrites(writes));

test("texts with what separates them, with quotes, empty or like numbers; numbers, and null", () => {
  const writes: Writes = [
    { statement: 0, values: ["a\0b", "", "7", null, 7, '"', "'"] },
    { statement: 12, values: [] },
    { statement: 3, values: [null, null] },
    { statement: 4, values: ["\0", '\0"\0', "\ud800", "🧀"] },
    { statement: 5, values: [-0.1, 1e21, 2 ** 53 - 1, 0] },
  ];
  expect(throughText(writes)).toEqual(writes);
});

test("nothing is nothing", () => {
  expect(throughText([])).toEqual([]);
});

test("whatever is written", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const value: fc.Arbitrary<Value> = fc.oneof(anyText({ maxLength: 20 }), number, fc.constant(null));
  const run = fc.record({ statement: fc.nat(200), values: fc.array(value, { maxLength: 9 }) });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 20 }), (writes) => {
      expect(throughText(writes)).toEqual(writes);
    }),
  );
});
