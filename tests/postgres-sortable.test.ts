// Keys of lists on PostgreSQL: in the order of bytes, they are in the order that SQLite gives the values, and ranges find just what matches.
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import fc from "fast-check";
import { comparedField, secondsOf } from "../src/store/compared-values";
import type { Condition } from "../src/store/listing";
import { IndexKeys, type KeyField } from "../src/store/postgres/slots/index-keys";
import { afterAll, partOf } from "../src/store/postgres/slots/sortable";
import { comparable } from "../src/store/sqlite/records/list-keys";

const inBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const shortText = fc.string({
  unit: fc.constantFrom("a", "b", "é", "中", "\u{1f430}", "\ufffd", "\0", "\u0001", "\u0002", "\u{10ffff}", "\ue000", "\ud7ff"),
});
/** Texts around the lengths at which a part and a key are cut. */
const longText = fc
  .tuple(
    fc.constantFrom("a", "é", "中", "\u{1f430}", "\0"),
    fc.constantFrom(100, 149, 150, 199, 200, 228, 399, 400, 401, 456, 600),
    shortText,
  )
  .map(([unit, length, rest]) => unit.repeat(length) + rest);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 1e300, -1e300, 5e-324, 2 ** 53),
);
const scalar = fc.oneof(fc.constant(null), fc.boolean(), number, shortText);

const forms = [
  ["T", "Z"],
  ["t", "z"],
  [" ", "+00:00"],
  ["T", "-02:30"],
  ["T", "+0200"],
  ["T", "+14"],
] as const;
const time = fc
  .tuple(
    fc.date({ min: new Date("0001-01-02"), max: new Date("9998-12-30"), noInvalidDate: true }),
    fc.constantFrom(...forms),
    fc.constantFrom("", ".5", ".123", ".9995", ".12345"),
  )
  .map(([date, [separator, zone], fraction]) =>
    date
      .toISOString()
      .replace(/\.\d+Z$/, fraction + zone)
      .replace("T", separator),
  );

test("a value's part of a key has the order and equality that SQLite has, in both directions; no part begins another one", () => {
  const db = new Database(":memory:");
  const compare = db.query<{ order: number }, [string]>(
    'SELECT (a.value IS NOT b.value) * CASE WHEN a.value IS NULL OR (b.value IS NOT NULL AND a.value < b.value) THEN -1 ELSE 1 END AS "order" FROM json_each(?1) AS a, json_each(?1) AS b WHERE a.key = 0 AND b.key = 1',
  );
  fc.assert(
    fc.property(fc.oneof(fc.tuple(scalar, scalar), fc.tuple(shortText, shortText), fc.tuple(number, number)), ([a, b]) => {
      const { order } = compare.get(JSON.stringify([a, b])) as { order: number };
      const { from } = comparedField("x", false);
      for (const [descending, sign] of [
        [false, 1],
        [true, -1],
      ] as const) {
        const [left, right] = [partOf(from(a), descending), partOf(from(b), descending)];
        expect(inBytes(left, right) + 0).toBe(order * sign + 0);
        if (order !== 0) expect(left.startsWith(right)).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
  db.close();
});

test("a time is the instant that SQLite makes of it", () => {
  const db = new Database(":memory:");
  const schema = { fields: { properties: { at: { type: "string", format: "date-time" } } } } as unknown as Parameters<typeof comparable>[0];
  const seconds = db.query<{ at: number | null }, [{ $at: string }]>(`SELECT ${comparable(schema, "at", "$at")} AS at`);
  fc.assert(
    fc.property(fc.oneof(time, fc.constantFrom("2016-12-31T23:59:60Z", "now", "", "2026-13-01T00:00:00Z")), (text) => {
      expect(secondsOf(text)).toBe(seconds.get({ $at: text })?.at as number);
    }),
    { numRuns: 2000 },
  );
  db.close();
});

test("after all texts with a start comes the next one", () => {
  fc.assert(
    fc.property(shortText, shortText, (start, other) => {
      fc.pre(start.replaceAll("\u{10ffff}", "") !== "");
      const after = afterAll(start);
      const text = inBytes(start, other) <= 0 ? other : start + other;
      expect(inBytes(text, after) < 0).toBe(text.startsWith(start));
    }),
    { numRuns: 2000 },
  );
});

interface Row {
  readonly name: string | null;
  readonly size: number | null;
  readonly due: string | null;
}

const row = fc.record({ name: fc.option(fc.oneof(shortText, longText)), size: fc.option(number), due: fc.option(time) });
const fields: readonly (readonly [keyof Row, boolean])[] = [
  ["name", false],
  ["size", false],
  ["due", true],
];
const keyFields = fc
  .tuple(fc.shuffledSubarray([...fields], { minLength: 1 }), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }))
  .map(([chosen, directions]) =>
    chosen.map(([path, isTime], index): KeyField => ({ path, isTime, descending: directions[index] ?? false })),
  );

const valueIn = (one: Row, { path, isTime }: KeyField) => comparedField(path, isTime).of(one);

function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return typeof a === "string" ? inBytes(a, b as string) : a - (b as number);
}

/** Text that is not cut, wherever it is in a key. */
const isShort = ({ name }: Row) => name === null || Buffer.byteLength(name.replaceAll("\0", "00")) <= 500;

test("keys of several fields have the order of the list, whatever its directions; long text keeps equality", () => {
  fc.assert(
    fc.property(keyFields, row, row, (chosen, a, b) => {
      const keys = new IndexKeys(chosen);
      const order = chosen.reduce(
        (found, field) => found || compareValues(valueIn(a, field), valueIn(b, field)) * (field.descending ? -1 : 1),
        0,
      );
      const found = inBytes(keys.of(a), keys.of(b));
      if (isShort(a) && isShort(b)) expect(Math.sign(found)).toBe(Math.sign(order) + 0);
      else expect(found === 0).toBe(order === 0);
      expect(Buffer.byteLength(keys.of(a))).toBeLessThanOrEqual(2400);
      expect(keys.of(a)).not.toContain("\0");
    }),
    { numRuns: 2000 },
  );
});

function fulfils(one: Row, field: KeyField, { exact, min, max, prefix }: Condition): boolean {
  const { from } = comparedField(field.path, field.isTime);
  const value = valueIn(one, field);
  if (exact) return exact.map(from).includes(value);
  if (prefix !== undefined) return typeof value === "string" && value.startsWith(prefix);
  if (min !== undefined && (value === null || compareValues(value, from(min)) < 0)) return false;
  return max === undefined || (value !== null && compareValues(value, from(max)) <= 0);
}

function conditionFor({ path }: KeyField): fc.Arbitrary<Condition> {
  const range = (value: fc.Arbitrary<string | number>) => fc.record({ min: value, max: value }, { requiredKeys: [] });
  if (path === "size")
    return fc.oneof(
      range(number),
      number.map((one) => ({ exact: [one] })),
    );
  if (path === "due")
    return fc.oneof(
      range(time),
      time.map((one) => ({ exact: [one] })),
    );
  return fc.oneof(
    fc.oneof(shortText, longText).map((prefix) => ({ prefix })),
    fc.oneof(shortText, longText).map((one) => ({ exact: [one] })),
  );
}

const wanted = keyFields.chain((chosen) =>
  fc.nat({ max: chosen.length }).chain((fixed) =>
    fc.record({
      chosen: fc.constant(chosen),
      fixed: fc.constant(fixed),
      condition: fixed < chosen.length ? fc.option(conditionFor(chosen[fixed] as KeyField), { nil: undefined }) : fc.constant(undefined),
      like: row,
      rows: fc.array(row, { maxLength: 8 }),
    }),
  ),
);

test("a range has the keys of all records that match, and of no others unless it says so", () => {
  fc.assert(
    fc.property(wanted, ({ chosen, fixed, condition, like, rows }) => {
      const keys = new IndexKeys(chosen);
      const values = chosen.slice(0, fixed).map(({ path }) => like[path as keyof Row]);
      const { from, to, isWhole } = keys.range(values, condition);
      for (const one of [...rows, like, ...rows.map((each) => ({ ...like, ...each, name: like.name }))]) {
        const isWanted =
          chosen.slice(0, fixed).every((field) => valueIn(one, field) === valueIn(like, field)) &&
          (!condition || Object.keys(condition).length === 0 || fulfils(one, chosen[fixed] as KeyField, condition));
        const key = keys.of(one);
        const isFound = inBytes(from, key) <= 0 && inBytes(key, to) < 0;
        if (isWhole) expect(isFound).toBe(isWanted);
        else if (isWanted) expect(isFound).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
});
