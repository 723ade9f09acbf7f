// Lists of each engine against a model of them: every order and filter, whatever changes in between, and however much there is.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Resource } from "warren/resource";
import type { Listing } from "../src/store/listing";
import { pageReads } from "../src/store/sqlite/lists/pages";
import type { EngineUnderTest } from "./support/engines";
import { fewer, isInFull, propertyFactor } from "./support/in-full";
import { limits, listed, listing, orders, owned, plain, record, records, type Shelf, shelf, walk, whole } from "./support/list-model";
import { type ListTable, openPostgresTable, openSqliteTable } from "./support/list-tables";
import { describeWithPostgres, usePostgres } from "./support/postgres";

// Hundreds of lists take their time on a busy machine.
setDefaultTimeout(60_000 * propertyFactor);

type Open = (resource?: Resource, reads?: number) => Promise<ListTable>;

describe("on SQLite", () => {
  behaves((resource = shelf, reads) => openSqliteTable(resource, reads), {
    times: (count) => (isInFull ? count * propertyFactor : Math.ceil(count / 4)),
  });
});
if (isInFull)
  describeWithPostgres("on PostgreSQL", () => {
    const postgres = usePostgres();
    behaves((resource = shelf, reads) => openPostgresTable(postgres(), resource, reads), { times: fewer });
  });

function behaves(openTable: Open, { times }: Pick<EngineUnderTest, "times">): void {
  let table: ListTable | undefined;
  afterEach(() => table?.close());
  const open: Open = async (...args) => {
    table = await openTable(...args);
    return table;
  };
  const fill = async (partial: readonly Partial<Shelf>[]) => {
    const all = partial.map(whole);
    await table?.fill(all);
    return all;
  };

  describe("property", () => {
    test.each([
      ["with indexes", shelf, pageReads],
      ["with indexes, a few records at a time", shelf, 3],
      ["without", plain, pageReads],
      ["without, a few records at a time", plain, 3],
    ])("the pages of a list, together, are what matches, once and in order; its count says how many: %s", async (_, resource, reads) => {
      const pages = await open(resource, reads);
      await fc.assert(
        fc.asyncProperty(records, listing, async (some, wanted) => {
          const expected = listed(await fill(some), wanted);
          expect((await walk(pages, wanted)).found).toEqual(expected);
          expect((await pages.read({ ...wanted, count: true })).count).toEqual({ value: expected.length, isExact: true });
        }),
        { numRuns: times(150) },
      );
    });

    test.each([pageReads, 3])("the lists of a tenant, or of one owner in it, have only their records: %i reads", async (reads) => {
      const pages = await open(owned, reads);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(record, limits), { maxLength: 40 }), listing, limits, async (some, wanted, { team, keeper }) => {
          const all = await fill(some.map(([one, of]) => ({ ...one, ...of })));
          const own = { team: { exact: [team ?? "a"] }, ...(keeper !== null && { keeper: { exact: [keeper] } }) };
          const limited = { ...wanted, filters: { ...wanted.filters, ...own } };
          const expected = listed(all, limited);
          expect((await walk(pages, limited)).found).toEqual(expected);
          expect((await pages.read({ ...limited, count: true })).count).toEqual({ value: expected.length, isExact: true });
        }),
        { numRuns: times(100) },
      );
    });

    test.each([pageReads, 4])(
      "whatever is changed or deleted between two pages, no other record is left out or comes twice: %i reads",
      async (reads) => {
        const pages = await open(shelf, reads);
        const change = fc.record({ id: fc.integer({ min: 1, max: 40 }), kind: fc.constantFrom("update", "remove", "insert"), record });
        await fc.assert(
          fc.asyncProperty(records, listing, fc.array(change, { maxLength: 8 }), async (some, wanted, changes) => {
            const before = await fill(some);
            const touched = new Set<number>();
            const waiting = [...changes];
            const { found } = await walk(pages, wanted, async () => {
              const next = waiting.shift();
              if (!next) return;
              if (next.kind === "insert") return pages.insert(whole(next.record, 1000 + waiting.length));
              touched.add(next.id);
              await pages.remove(next.id);
              if (next.kind === "update" && next.id <= before.length) await pages.insert(whole(next.record, next.id - 1));
            });
            const untouched = (list: readonly Shelf[]) => list.filter(({ id }) => id <= before.length && !touched.has(id));
            expect(untouched(found)).toEqual(untouched(listed(before, wanted)));
          }),
          { numRuns: times(100) },
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
      await withOneRare();
      const middle = many / 2 + 5;
      for (const sort of [["id"], ["createdAt"], ["place.city"], ["state", "-due"]]) {
        const heaviest = { ...one, sort, filters: { weight: { min: middle, max: middle } } };
        const { rows, next } = await pages.read(heaviest);
        expect([rows, next !== null]).toEqual([[], true]);
        const { count, found } = await walk(pages, heaviest);
        expect([count, found.map(({ id }) => id)]).toEqual([4, [middle + 1]]);
      }
    });

    test("what the page has read to its end has no next", async () => {
      const pages = await open(plain);
      const heavy = { limit: 5, filters: { weight: { min: 1 } } };
      await fill(Array.from({ length: pageReads }, () => ({ weight: 0 })));
      expect(await pages.read(heavy)).toEqual({ rows: [], next: null });
      await fill(Array.from({ length: pageReads + 1 }, (_, index) => ({ weight: index === pageReads ? 1 : 0 })));
      expect((await walk(pages, heavy)).count).toBe(2);
    });

    test("an index finds few among many on the first page, whatever else is asked for", async () => {
      const pages = await open();
      await withOneRare();
      for (const order of orders) {
        for (const more of [{}, { price: { max: many } }, { weight: { min: many } }]) {
          const { rows, next } = await pages.read({ ...one, sort: order, filters: { ...one.filters, ...more } });
          expect([rows.map(({ id }) => id), next]).toEqual(["weight" in more ? [] : [many - 1], null]);
        }
      }
      // Many that match are taken in the order of the list.
      const { found } = await walk(pages, { limit: 200, sort: ["updatedAt"], filters: { name: { prefix: "us" }, price: { min: 100 } } });
      expect(found).toHaveLength(many - 101);
    });

    test("what was changed since, few among many, has an index on every resource", async () => {
      const pages = await open(plain);
      await fill(Array.from({ length: many }, (_, index) => ({ updatedAt: `2026-01-0${index === 5 ? 2 : 1}T00:00:00.000Z` })));
      for (const sort of orders) {
        const { rows, next } = await pages.read({ limit: 5, sort, updatedSince: "2026-01-02T00:00:00.000Z" });
        expect([rows.map(({ id }) => id), next]).toEqual([[6], null]);
      }
    });

    test("an exact filter with an index, of many that match, has full pages; so has one with the rest of a declared order", async () => {
      const pages = await open();
      await fill(
        Array.from({ length: many }, (_, index) => ({
          state: index % 2 ? "open" : index % 4 ? "sold" : "new",
          tags: index % 3 ? [] : ["red"],
        })),
      );
      const full = async (wanted: Omit<Listing, "limit">, matching: number) => {
        const { count, found } = await walk(pages, { ...wanted, limit: 200 });
        expect([count, found.length]).toEqual([Math.ceil(matching / 200), matching]);
      };
      await full({ filters: { state: { exact: ["open"] } } }, many / 2);
      await full({ filters: { state: { exact: ["open", "new"] } }, sort: ["-id"] }, (many * 3) / 4);
      await full({ filters: { tags: { contains: ["red"] } } }, Math.ceil(many / 3));
      await full({ filters: { state: { exact: ["open"] } }, sort: ["due"] }, many / 2);
      await full({ filters: { state: { exact: ["sold"] } }, sort: ["state", "-due"] }, many / 4);
    });

    test("a count is exact up to 10,000, and says when it is not", async () => {
      const pages = await open();
      await fill(Array.from({ length: 10_001 }, (_, index) => ({ state: index === 0 ? "new" : "open", isOpen: index % 2 === 0 })));
      const count = async (filters: Listing["filters"]) => (await pages.read({ limit: 1, filters, count: true })).count;
      expect(await count({})).toEqual({ value: 10_000, isExact: false });
      expect(await count({ state: { exact: ["open"] } })).toEqual({ value: 10_000, isExact: true });
      expect(await count({ state: { exact: ["open", "new"] } })).toEqual({ value: 10_000, isExact: false });
      expect(await count({ state: { exact: ["new"] }, isOpen: { exact: [true] } })).toEqual({ value: 1, isExact: true });
      expect(await count({ state: { exact: ["open"] }, isOpen: { exact: [true] } })).toEqual({ value: 5000, isExact: true });
      // Without an index, it counts among the first 10,000.
      expect(await count({ isOpen: { exact: [false] } })).toEqual({ value: 5000, isExact: false });
    });
  });
}
