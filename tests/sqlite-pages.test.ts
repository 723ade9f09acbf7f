// Lists of the store against a model of them: every order and filter, whatever changes in between, and however much there is.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable, oneOf, type RecordOf, type Resource } from "warren/resource";
import type { Condition, Listing, Page } from "../src/store/listing";
import { Pages, pageReads } from "../src/store/sqlite/pages";
import { openSqliteStore } from "../src/store/sqlite/store";
import { temporaryFolder } from "./support/folder";

// Hundreds of lists take their time on a busy machine.
setDefaultTimeout(60_000);

const fields = {
  name: Nullable(Type.String({ maxLength: 20 })),
  price: Type.Number(),
  weight: Nullable(Type.Integer()),
  state: oneOf("new", "open", "sold"),
  isOpen: Type.Boolean(),
  tags: Type.Array(Type.String()),
  due: Nullable(Type.String({ format: "date-time" })),
  place: Nullable(Type.Object({ city: Nullable(Type.String({ maxLength: 20 })) })),
};
const filters = {
  name: "prefix",
  price: ["exact", "range"],
  weight: "range",
  state: "exact",
  isOpen: "exact",
  tags: "contains",
  due: ["exact", "range"],
  "place.city": "exact",
} as const;
const sort = ["due", "name", "place.city", ["state", "-due"], ["-weight", "name", "price"], ["isOpen", "-createdAt"]] as const;
const tags: string[] = [];
const example = { name: "Shelf", price: 1, weight: null, state: "new" as const, isOpen: true, tags, due: null, place: null };
const base = { name: "shelf" as const, plural: "shelves" as const, fields, filters, example };
/** Most of the filters have an index. */
const shelf = defineResource({ ...base, sort, indexes: ["name", "price", "state", "tags", "place.city"] });
const plain = defineResource({ ...base, sort });
type Shelf = RecordOf<typeof shelf>;

const orders = [["id"], ["createdAt"], ["updatedAt"], ...sort.map((one) => [one].flat())].map((order) => [...order] as string[]);

let folder: ReturnType<typeof temporaryFolder>;
let db: Database;
/** The table of the index on `tags`. */
const elements = "shelves:elements:tags";
let hasElements = false;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  db.close();
  folder.remove();
});

/** The pages of a table that the store has made. */
async function open(resource: Resource = shelf, reads?: number): Promise<Pages> {
  const file = join(folder.path, "warren.db");
  await openSqliteStore(file, [resource]).close();
  db = new Database(file, { strict: true });
  hasElements = resource.indexes.includes("tags");
  return new Pages(db, resource, { readAtMost: reads });
}

function insert(record: Shelf): void {
  db.query("INSERT INTO shelves (id, version, json) VALUES (?, 1, ?)").run(record.id, JSON.stringify(record));
  if (hasElements) for (const tag of new Set(record.tags)) db.query(`INSERT INTO "${elements}" VALUES (?, ?)`).run(tag, record.id);
}

function remove(id: number): void {
  db.query("DELETE FROM shelves WHERE id = ?").run(id);
  if (hasElements) db.query(`DELETE FROM "${elements}" WHERE id = ?`).run(id);
}

function whole(record: Partial<Shelf>, index: number): Shelf {
  const time = "2026-01-01T00:00:00.000Z";
  return { id: index + 1, ...example, version: 1, createdAt: time, updatedAt: time, ...record };
}

/** Writes records with any times into the table. */
function fill(records: readonly Partial<Shelf>[]): Shelf[] {
  const all = records.map(whole);
  db.transaction(() => {
    db.run("DELETE FROM shelves");
    if (hasElements) db.run(`DELETE FROM "${elements}"`);
    all.forEach(insert);
  })();
  return all;
}

function walk(pages: Pages, listing: Listing, between: (page: Page) => void = () => {}): { count: number; found: Shelf[] } {
  const found: Shelf[] = [];
  for (let count = 1, { after } = listing; ; count += 1) {
    const page = pages.read({ ...listing, after });
    expect(page.rows.length).toBeLessThanOrEqual(listing.limit);
    if (count > 1000) throw new Error("The pages of this list have no end");
    found.push(...page.rows.map(({ json }) => JSON.parse(json) as Shelf));
    if (page.next === null) return { count, found };
    // As a cursor holds it.
    after = JSON.parse(JSON.stringify(page.next)) as Listing["after"];
    between(page);
  }
}

type Value = string | number | boolean | null | undefined;

/** The value that a field is compared by. */
function keyAt(record: Shelf, path: string): Value | readonly string[] {
  const value = path.split(".").reduce<unknown>((object, name) => (object as Record<string, unknown> | null)?.[name], record);
  return path === "due" ? instant(value as Value) : ((value ?? null) as Value);
}

function instant(value: Value): Value {
  if (typeof value !== "string") return value ?? null;
  const withMinutes = value.replace(/([+-]\d\d)(\d\d)?$/, (_, hours: string, minutes = "00") => `${hours}:${minutes}`);
  return Date.parse(withMinutes.replace(/[ t]/, "T").toUpperCase());
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return Number(a) - Number(b);
}

function fulfils(record: Shelf, path: string, { exact, min, max, prefix, contains }: Condition): boolean {
  const value = keyAt(record, path);
  const same = (other: Value) => (path === "due" ? instant(other) : other);
  if (exact && !exact.map(same).includes(value as Value)) return false;
  if (contains && !contains.every((one) => (value as readonly unknown[]).includes(one))) return false;
  if (prefix !== undefined && (value === null || !String(value).startsWith(prefix))) return false;
  if (min !== undefined && (value === null || compare(value, same(min)) < 0)) return false;
  return max === undefined || (value !== null && compare(value, same(max)) <= 0);
}

/** A simple model of a list. */
function listed(records: readonly Shelf[], { sort: by = ["id"], updatedSince = "", filters: wanted = {} }: Listing): Shelf[] {
  const matching = records.filter(
    (record) => record.updatedAt >= updatedSince && Object.entries(wanted).every(([path, condition]) => fulfils(record, path, condition)),
  );
  const last = by.at(-1)?.startsWith("-") ? "-id" : "id";
  return matching.toSorted((a, b) => {
    for (const key of [...by, last]) {
      const [path, sign] = key.startsWith("-") ? [key.slice(1), -1] : [key, 1];
      const order = sign * compare(keyAt(a, path), keyAt(b, path));
      if (order !== 0) return order;
    }
    return 0;
  });
}

const second = fc.integer({ min: 0, max: 5 });
const time = second.map((value) => `2026-01-01T00:00:0${value}.000Z`);
/** The same few instants, in each form that the schema allows. */
const due = fc.tuple(second, fc.constantFrom(["T00", "Z"], [" 00", ".000z"], ["t00", "+00:00"], ["T02", "+0200"], ["T05", "+05"]));
const dueText = due.map(([value, [hour, zone]]) => `2026-01-01${hour}:00:0${value}${zone}`);
const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "\u{1f430}", "\ufffd", "%", "\u{10ffff}"), maxLength: 2 });
const tag = fc.constantFrom("red", "new", "big");
const state = fc.constantFrom("new" as const, "open" as const, "sold" as const);
const price = fc.integer({ min: 0, max: 4 }).map((value) => value / 2);
const record = fc.record({
  name: fc.option(text),
  price,
  weight: fc.option(fc.integer({ min: 0, max: 3 })),
  state,
  isOpen: fc.boolean(),
  tags: fc.array(tag, { maxLength: 3 }),
  due: fc.option(dueText),
  place: fc.option(fc.record({ city: fc.option(text) })),
  createdAt: time,
  updatedAt: time,
});
const records = fc.array(record, { maxLength: 40 });
const range = (value: fc.Arbitrary<string | number>) => fc.record({ min: value, max: value }, { requiredKeys: [] });
const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 });
const exactOrRange = (value: fc.Arbitrary<string | number>) =>
  fc.oneof(
    some(value).map((exact) => ({ exact })),
    range(value),
    fc.record({ exact: some(value), min: value }),
  );
const filter = fc.record(
  {
    name: text.map((prefix) => ({ prefix })),
    price: exactOrRange(price),
    weight: range(fc.integer({ min: -1, max: 3 })),
    state: some(state).map((exact) => ({ exact })),
    isOpen: some(fc.boolean()).map((exact) => ({ exact })),
    tags: some(tag).map((contains) => ({ contains })),
    due: exactOrRange(dueText),
    "place.city": some(fc.option(text)).map((exact) => ({ exact })),
  },
  { requiredKeys: [] },
);
const few = fc.tuple(filter, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 7 })).map(([all, count, from]) => {
  const entries = Object.entries(all);
  return Object.fromEntries([...entries.slice(from), ...entries.slice(0, from)].slice(0, count));
});
const listing = fc.record(
  {
    limit: fc.integer({ min: 1, max: 12 }),
    sort: fc.constantFrom(...orders, ...orders.map((order) => order.map((key) => (key.startsWith("-") ? key.slice(1) : `-${key}`)))),
    updatedSince: time,
    filters: few,
  },
  { requiredKeys: ["limit"] },
) as fc.Arbitrary<Listing>;

describe("property", () => {
  test.each([
    ["with indexes", shelf, pageReads],
    ["with indexes, a few records at a time", shelf, 3],
    ["without", plain, pageReads],
    ["without, a few records at a time", plain, 3],
  ])("the pages of a list, together, are what matches, once and in order; its count says how many: %s", async (_, resource, reads) => {
    const pages = await open(resource, reads);
    fc.assert(
      fc.property(records, listing, (some, wanted) => {
        const all = fill(some);
        const expected = listed(all, wanted);
        expect(walk(pages, wanted).found).toEqual(expected);
        expect(pages.read({ ...wanted, count: true }).count).toEqual({ value: expected.length, isExact: true });
      }),
      { numRuns: 150 },
    );
  });

  test.each([pageReads, 4])(
    "whatever is changed or deleted between two pages, no other record is left out or comes twice: %i reads",
    async (reads) => {
      const pages = await open(shelf, reads);
      const change = fc.record({ id: fc.integer({ min: 1, max: 40 }), kind: fc.constantFrom("update", "remove", "insert"), record });
      fc.assert(
        fc.property(records, listing, fc.array(change, { maxLength: 8 }), (some, wanted, changes) => {
          const before = fill(some);
          const touched = new Set<number>();
          const waiting = [...changes];
          const { found } = walk(pages, wanted, () => {
            const next = waiting.shift();
            if (!next) return;
            if (next.kind === "insert") return insert(whole(next.record, 1000 + waiting.length));
            touched.add(next.id);
            remove(next.id);
            if (next.kind === "update" && next.id <= before.length) insert(whole(next.record, next.id - 1));
          });
          const untouched = (list: readonly Shelf[]) => list.filter(({ id }) => id <= before.length && !touched.has(id));
          expect(untouched(found)).toEqual(untouched(listed(before, wanted)));
        }),
        { numRuns: 100 },
      );
    },
  );
});

describe("a page reads a bounded number of records", () => {
  const many = 4 * pageReads;
  const one: Listing = { filters: { name: { prefix: "rare" } }, limit: 5 };
  const withOneRare = () =>
    fill(Array.from({ length: many }, (_, index) => ({ name: index === many - 2 ? "rare" : "usual", price: index, weight: index })));

  test("without an index, a page may be empty and have a next; its pages lead to what there is", async () => {
    const pages = await open(plain);
    withOneRare();
    const middle = many / 2 + 5;
    for (const sort of [["id"], ["createdAt"], ["place.city"], ["state", "-due"]]) {
      const heaviest = { ...one, sort, filters: { weight: { min: middle, max: middle } } };
      const { rows, next } = pages.read(heaviest);
      expect([rows, next !== null]).toEqual([[], true]);
      const { count, found } = walk(pages, heaviest);
      expect([count, found.map(({ id }) => id)]).toEqual([4, [middle + 1]]);
    }
  });

  test("what the page has read to its end has no next", async () => {
    const pages = await open(plain);
    const heavy = { limit: 5, filters: { weight: { min: 1 } } };
    fill(Array.from({ length: pageReads }, () => ({ weight: 0 })));
    expect(pages.read(heavy)).toEqual({ rows: [], next: null });
    fill(Array.from({ length: pageReads + 1 }, (_, index) => ({ weight: index === pageReads ? 1 : 0 })));
    expect(walk(pages, heavy).count).toBe(2);
  });

  test("an index finds few among many on the first page, whatever else is asked for", async () => {
    const pages = await open();
    withOneRare();
    for (const order of orders) {
      for (const more of [{}, { price: { max: many } }, { weight: { min: many } }]) {
        const { rows, next } = pages.read({ ...one, sort: order, filters: { ...one.filters, ...more } });
        expect([rows.map(({ id }) => id), next]).toEqual(["weight" in more ? [] : [many - 1], null]);
      }
    }
    // Many that match are taken in the order of the list.
    const { found } = walk(pages, { limit: 200, sort: ["updatedAt"], filters: { name: { prefix: "us" }, price: { min: 100 } } });
    expect(found).toHaveLength(many - 101);
  });

  test("what was changed since, few among many, has an index on every resource", async () => {
    const pages = await open(plain);
    fill(Array.from({ length: many }, (_, index) => ({ updatedAt: `2026-01-0${index === 5 ? 2 : 1}T00:00:00.000Z` })));
    for (const sort of orders) {
      const { rows, next } = pages.read({ limit: 5, sort, updatedSince: "2026-01-02T00:00:00.000Z" });
      expect([rows.map(({ id }) => id), next]).toEqual([[6], null]);
    }
  });

  test("an exact filter with an index, of many that match, has full pages; so has one with the rest of a declared order", async () => {
    const pages = await open();
    fill(
      Array.from({ length: many }, (_, index) => ({
        state: index % 2 ? "open" : index % 4 ? "sold" : "new",
        tags: index % 3 ? [] : ["red"],
      })),
    );
    const full = (listing: Omit<Listing, "limit">, matching: number) => {
      const { count, found } = walk(pages, { ...listing, limit: 200 });
      expect([count, found.length]).toEqual([Math.ceil(matching / 200), matching]);
    };
    full({ filters: { state: { exact: ["open"] } } }, many / 2);
    full({ filters: { state: { exact: ["open", "new"] } }, sort: ["-id"] }, (many * 3) / 4);
    full({ filters: { tags: { contains: ["red"] } } }, Math.ceil(many / 3));
    full({ filters: { state: { exact: ["open"] } }, sort: ["due"] }, many / 2);
    full({ filters: { state: { exact: ["sold"] } }, sort: ["state", "-due"] }, many / 4);
  });

  test("a count is exact up to 10,000, and says when it is not", async () => {
    const pages = await open();
    fill(Array.from({ length: 10_001 }, (_, index) => ({ state: index === 0 ? "new" : "open", isOpen: index % 2 === 0 })));
    const count = (filters: Listing["filters"]) => pages.read({ limit: 1, filters, count: true }).count;
    expect(count({})).toEqual({ value: 10_000, isExact: false });
    expect(count({ state: { exact: ["open"] } })).toEqual({ value: 10_000, isExact: true });
    expect(count({ state: { exact: ["open", "new"] } })).toEqual({ value: 10_000, isExact: false });
    expect(count({ state: { exact: ["new"] }, isOpen: { exact: [true] } })).toEqual({ value: 1, isExact: true });
    expect(count({ state: { exact: ["open"] }, isOpen: { exact: [true] } })).toEqual({ value: 5000, isExact: true });
    // Without an index, it counts among the first 10,000.
    expect(count({ isOpen: { exact: [false] } })).toEqual({ value: 5000, isExact: false });
  });

  test("SQLite looks everything up in an index, and sorts only the few that one has found", async () => {
    const pages = await open();
    const statements = new Set<string>();
    const { prepare } = db;
    db.prepare = ((sql: string) => {
      statements.add(sql);
      return prepare.call(db, sql);
    }) as typeof prepare;
    const filters: Listing["filters"][] = [
      {},
      { name: { prefix: "S" } },
      { price: { min: 0 } },
      { weight: { max: 5 } },
      { name: { prefix: "S" }, weight: { max: 1 } },
      { state: { exact: ["new"] } },
      { state: { exact: ["new", "open"] }, isOpen: { exact: [true] } },
      { due: { min: "2026-01-01T00:00:00Z", max: "2026-02-01T00:00:00Z" } },
      { "place.city": { exact: [null, "a"] } },
      { tags: { contains: ["red", "new"] } },
    ];
    const since = { updatedSince: "2026-01-01T00:00:00.000Z" };
    const wanted: Partial<Listing>[] = [
      ...filters.map((one) => ({ filters: one })),
      since,
      { ...since, filters: { name: { prefix: "S" } } },
    ];
    for (const amount of [10, 2 * pageReads]) {
      fill(
        Array.from({ length: amount }, (_, index) => ({
          tags: ["red", "new"],
          ...(index % 2 && { due: "2026-01-02T00:00:00Z", weight: 1 }),
        })),
      );
      for (const sort of [...orders, ...orders.map((order) => order.map((key) => (key.startsWith("-") ? key.slice(1) : `-${key}`)))])
        for (const by of wanted) {
          const listing = { limit: 5, sort, ...by };
          const { next } = pages.read(listing);
          if (next) pages.read({ ...listing, after: next, count: sort.length === 1 });
        }
    }
    db.prepare = prepare;
    const plans = [...statements].map((sql) => ({
      sql,
      steps: db
        .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail),
    }));
    expect(plans.length).toBeGreaterThan(100);
    const allowed =
      /^(SEARCH \S+ USING (COVERING INDEX|INDEX|INTEGER PRIMARY KEY|PRIMARY KEY)|SCAN (found|\(subquery-\d+\)|json_each.*|wanted.*)( |$)|SCAN shelves( USING COVERING INDEX|$))/;
    for (const { sql, steps } of plans) {
      const reads = steps.filter((step) => /^(SCAN|SEARCH) /.test(step));
      expect([sql, reads.filter((step) => !allowed.test(step))]).toEqual([sql, []]);
      // A list is sorted only among the few that an index has found.
      const sorts = steps.some((step) => step.includes("TEMP B-TREE"));
      expect([sql, sorts]).toEqual([sql, sorts && sql.slice(sql.lastIndexOf("CROSS JOIN")).includes("ORDER BY")]);
    }
  });
});
