// Lists of the store against a model of them: every order and filter, whatever changes in between, and however much there is.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable, type RecordOf, type Resource } from "warren/resource";
import { type Listing, type Page, sortKeys } from "../src/store/listing";
import { readAtMost } from "../src/store/sqlite/pages";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import { connectionsOf } from "./support/connections";
import { temporaryFolder } from "./support/folder";

const fields = { name: Nullable(Type.String()), price: Type.Number(), weight: Nullable(Type.Integer()) };
const filters = { name: "prefix", price: "range", weight: "range" } as const;
const example = { name: "Shelf", price: 1, weight: null };
/** Two of the three filters have an index. */
const shelf = defineResource({ name: "shelf", plural: "shelves", fields, filters, indexes: ["name", "price"], example });
const plain = defineResource({ name: "shelf", plural: "shelves", fields, filters, example });
type Shelf = RecordOf<typeof shelf>;

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let store: Store | undefined;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  folder.remove();
});

function open(resource: Resource = shelf): Store {
  store = openSqliteStore(file, [resource]);
  return store;
}

/** Puts records into the table as they are, whose times no clock has to make. */
async function fill(records: readonly Partial<Shelf>[]): Promise<Shelf[]> {
  const whole = records.map((record, index) => ({
    id: index + 1,
    ...example,
    version: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    ...record,
  }));
  const db = new Database(file);
  db.run("PRAGMA busy_timeout = 2000");
  const insert = db.prepare("INSERT INTO shelves (id, version, json) VALUES (?, ?, ?)");
  db.transaction(() => {
    db.run("DELETE FROM shelves");
    for (const record of whole) insert.run(record.id, record.version, JSON.stringify(record));
  })();
  db.close();
  // The store, which thinks that nobody else writes, reads anew after a commit.
  await store?.check();
  return whole;
}

async function walk(
  of: Store,
  listing: Listing,
  between: (page: Page) => Promise<void> = async () => {},
): Promise<{ pages: number; found: Shelf[] }> {
  const found: Shelf[] = [];
  for (let pages = 1, { after } = listing; ; pages += 1) {
    const page = await of.list(shelf, { ...listing, after });
    expect(page.rows.length).toBeLessThanOrEqual(listing.limit);
    if (pages > 1000) throw new Error("The pages of this list have no end");
    found.push(...page.rows.map(({ json }) => JSON.parse(json) as Shelf));
    if (page.next === null) return { pages, found };
    after = page.next;
    await between(page);
  }
}

/** A simple model of a list. */
function listed(records: readonly Shelf[], { sort = "id", descending = false, updatedSince = "", filters: by = {} }: Listing): Shelf[] {
  const within = (value: unknown, filter: NonNullable<Listing["filters"]>[string]) => {
    if (value === null) return false;
    if ("prefix" in filter) return String(value).startsWith(filter.prefix);
    return Number(value) >= (filter.min ?? -Infinity) && Number(value) <= (filter.max ?? Infinity);
  };
  const matching = records.filter(
    (record) =>
      record.updatedAt >= updatedSince && Object.entries(by).every(([field, filter]) => within(record[field as keyof Shelf], filter)),
  );
  const sorted = matching.toSorted((a, b) => (a[sort] < b[sort] ? -1 : a[sort] > b[sort] ? 1 : a.id - b.id));
  return descending ? sorted.reverse() : sorted;
}

const time = fc.integer({ min: 0, max: 5 }).map((second) => `2026-01-01T00:00:0${second}.000Z`);
const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "\u{1f430}", "\ufffd", "%", "\u{10ffff}"), maxLength: 3 });
const records = fc.array(
  fc.record({
    name: fc.option(text),
    price: fc.integer({ min: 0, max: 6 }).map((price) => price / 2),
    weight: fc.option(fc.integer({ min: 0, max: 3 })),
    createdAt: time,
    updatedAt: time,
  }),
  { maxLength: 40 },
);
const range = fc.record({ min: fc.integer({ min: -1, max: 3 }), max: fc.integer({ min: -1, max: 3 }) }, { requiredKeys: [] });
const listing = fc.record(
  {
    limit: fc.integer({ min: 1, max: 12 }),
    sort: fc.constantFrom(...sortKeys),
    descending: fc.boolean(),
    updatedSince: time,
    filters: fc.record({ name: text.map((prefix) => ({ prefix })), price: range, weight: range }, { requiredKeys: [] }),
  },
  { requiredKeys: ["limit"] },
) as fc.Arbitrary<Listing>;

describe("property", () => {
  test.each([
    ["with indexes", shelf],
    ["without", plain],
  ])("the pages of a list, together, are what matches, once and in order: %s", async (_, resource) => {
    const of = open(resource);
    await fc.assert(
      fc.asyncProperty(records, listing, async (some, wanted) => {
        const all = await fill(some);
        expect((await walk(of, wanted)).found).toEqual(listed(all, wanted));
      }),
      { numRuns: 150 },
    );
  });

  test("whatever is changed or deleted between two pages, no other record is left out or comes twice", async () => {
    const of = open();
    const change = fc.record({ id: fc.integer({ min: 1, max: 40 }), kind: fc.constantFrom("update", "remove", "insert") });
    await fc.assert(
      fc.asyncProperty(records, listing, fc.array(change, { maxLength: 8 }), async (some, wanted, changes) => {
        const before = await fill(some);
        const touched = new Set<number>();
        const waiting = [...changes];
        const { found } = await walk(of, wanted, async () => {
          const next = waiting.shift();
          if (!next) return;
          touched.add(next.id);
          if (next.kind === "update") await of.update(shelf, next.id, () => ({ ...example, name: "a" }));
          else if (next.kind === "remove") await of.remove(shelf, next.id);
          else await of.insert(shelf, example);
        });
        const untouched = (list: readonly Shelf[]) => list.filter(({ id }) => id <= before.length && !touched.has(id));
        expect(untouched(found)).toEqual(untouched(listed(before, wanted)));
      }),
      { numRuns: 100 },
    );
  });
});

describe("a page reads a bounded number of records", () => {
  const many = 4 * readAtMost;
  const one = { filters: { name: { prefix: "rare" } }, limit: 5 };
  const withOneRare = () =>
    fill(Array.from({ length: many }, (_, index) => ({ name: index === many - 2 ? "rare" : "usual", price: index })));

  test("without an index, a page may be empty and have a next; its pages lead to what there is", async () => {
    const of = open(plain);
    await withOneRare();
    for (const sort of sortKeys) {
      expect(await of.list(shelf, { ...one, sort })).toMatchObject({ rows: [], next: { id: readAtMost } });
      const { pages, found } = await walk(of, { ...one, sort });
      expect([pages, found.map(({ id }) => id)]).toEqual([4, [many - 1]]);
    }
  });

  test("what the page has read to its end has no next", async () => {
    const of = open(plain);
    await fill(Array.from({ length: readAtMost }, () => ({ name: "usual" })));
    expect(await of.list(shelf, one)).toEqual({ rows: [], next: null });
    await fill(Array.from({ length: readAtMost + 1 }, (_, index) => ({ name: index === readAtMost ? "rare" : "usual" })));
    expect((await walk(of, one)).pages).toBe(2);
  });

  test("an index finds few among many on the first page, whatever else is asked for", async () => {
    const of = open();
    await withOneRare();
    for (const sort of sortKeys) {
      for (const more of [{}, { price: { max: many } }, { weight: { min: 0 } }]) {
        const { rows, next } = await of.list(shelf, { ...one, sort, descending: true, filters: { ...one.filters, ...more } });
        expect([rows.map(({ id }) => id), next]).toEqual(["weight" in more ? [] : [many - 1], null]);
      }
    }
    // Many that match are taken in the order of the list.
    const { found } = await walk(of, { limit: 200, sort: "updatedAt", filters: { name: { prefix: "us" }, price: { min: 100 } } });
    expect(found).toHaveLength(many - 101);
  });

  test("what was changed since, few among many, has an index on every resource", async () => {
    const of = open(plain);
    await fill(Array.from({ length: many }, (_, index) => ({ updatedAt: `2026-01-0${index === 5 ? 2 : 1}T00:00:00.000Z` })));
    for (const sort of sortKeys) {
      const { rows, next } = await of.list(shelf, { limit: 5, sort, descending: true, updatedSince: "2026-01-02T00:00:00.000Z" });
      expect([rows.map(({ id }) => id), next]).toEqual([[6], null]);
    }
  });

  test("SQLite looks everything up in an index, and sorts only the few that one has found", async () => {
    const statements = new Set<string>();
    const [connection] = connectionsOf(file, () => open());
    if (!connection) throw new Error("The store has no connection");
    const { prepare } = connection;
    connection.prepare = ((sql: string) => {
      // What fills it is prepared when it is first used.
      if (!sql.startsWith("INSERT")) statements.add(sql);
      return prepare.call(connection, sql);
    }) as typeof prepare;
    const of = store as Store;
    for (const amount of [10, 2 * readAtMost]) {
      await fill(Array.from({ length: amount }, () => ({})));
      for (const sort of sortKeys)
        for (const descending of [false, true])
          for (const filters of [
            {},
            { name: { prefix: "S" } },
            { price: { min: 0 } },
            { weight: { max: 5 } },
            { name: { prefix: "S" }, weight: { max: 1 } },
          ])
            for (const updatedSince of [undefined, "2026-01-01T00:00:00.000Z"])
              await of.list(shelf, { limit: 5, sort, descending, filters, updatedSince });
    }
    const plans = [...statements].map((sql) => ({
      sql,
      steps: connection
        .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail),
    }));
    expect(plans.length).toBeGreaterThan(30);
    for (const { sql, steps } of plans) {
      const reads = steps.filter((step) => /^(SCAN|SEARCH) /.test(step) && !/^SCAN (found|\(subquery-\d+\))$/.test(step));
      expect([sql, reads.filter((step) => !/^SEARCH \w+ USING (COVERING INDEX|INDEX|INTEGER PRIMARY KEY)/.test(step))]).toEqual([sql, []]);
      const sorts = steps.some((step) => step.includes("TEMP B-TREE"));
      expect([sql, sorts]).toEqual([sql, sorts && / AS k FROM /.test(sql)]);
    }
  });
});
