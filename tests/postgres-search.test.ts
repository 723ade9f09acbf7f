// The search of lists on PostgreSQL: it finds what SQLite's finds, page by page, and reads no more than it must.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable, oneOf, type Resource } from "warren/resource";
import type { Listing, Page } from "../src/store/listing";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { Pages } from "../src/store/postgres/lists/pages";
import { keepResourceTables } from "../src/store/postgres/records/resource-tables";
import { migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { Declarations } from "../src/store/postgres/slots/declarations";
import { openSqliteStore } from "../src/store/sqlite/store";
import { blocksOf, explain, noting, type Statement } from "./support/explained";
import { temporaryFolder } from "./support/folder";
import { propertyFactor, runs, testInFull } from "./support/in-full";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { type TestRecord, writeRecords } from "./support/postgres-records";

setDefaultTimeout(60_000 * propertyFactor);

const note = defineResource({
  name: "note",
  fields: { title: Type.String(), body: Nullable(Type.String()), state: oneOf("open", "closed") },
  filters: { state: "exact" },
  search: ["title", "body"],
  example: { title: "a", body: null, state: "open" },
}) as Resource;

interface Fields {
  readonly title: string;
  readonly body: string | null;
  readonly state: "open" | "closed";
}

describeWithPostgres("search", () => {
  const postgres = usePostgres();
  let database: Database;
  let declarations: Declarations;
  const statements: Statement[] = [];
  beforeAll(async () => {
    database = openDatabase(postgres().address);
    await migrate(database, postgres().address, storeMigrations);
    await keepResourceTables(database, postgres().address, [note]);
    declarations = await Declarations.open(database, postgres().address, [note]);
  });
  afterAll(async () => {
    await declarations.close();
    await database.close();
    await postgres().drop();
  });
  const read = (listing: Listing, reads?: number) => new Pages(note, declarations.slots, reads).read(noting(database, statements), listing);
  const fill = async (all: readonly Fields[]) => {
    await database.transaction(async ({ query }) => {
      await query("DELETE FROM notes");
      await query("DELETE FROM warren_entries");
    });
    const records = all.map((fields, index): TestRecord => ({ id: index + 1, version: 1, ...fields }));
    await writeRecords(
      database,
      declarations.slots,
      note,
      records.map((after) => ({ after })),
    );
  };
  const ids = ({ rows }: Page) => rows.map(({ id }) => id);
  const walk = async (pages: (after: Listing["after"]) => Promise<Page>) => {
    const found: number[] = [];
    for (let after: Listing["after"], count = 0; ; count += 1) {
      if (count > 200) throw new Error("The pages of this search have no end");
      const page = await pages(after);
      found.push(...ids(page));
      if (!page.next) return found;
      after = page.next;
    }
  };

  describe("and SQLite", () => {
    let folder: ReturnType<typeof temporaryFolder>;
    beforeEach(() => {
      folder = temporaryFolder();
    });
    afterEach(() => folder.remove());

    test("find the same records, in pages of any size and both orders, and count them", async () => {
      const text = fc
        .array(
          fc.tuple(fc.constantFrom("door", "Door", "dóor", "lamp", "red", "a", "3", "ada", "☃"), fc.constantFrom(" ", "-", "@", ". ", "")),
          { maxLength: 6 },
        )
        .map((parts) => parts.flat().join(""));
      const fields = fc.record({ title: text, body: fc.option(text), state: fc.constantFrom("open" as const, "closed" as const) });
      const wanted = fc.record({
        search: fc.oneof(text, fc.constantFrom("ada@door", "red-lamp", "door lamp", '"door', "3.3")),
        sort: fc.constantFrom(["id"], ["-id"]),
        state: fc.option(fc.constantFrom("open", "closed")),
        limit: fc.integer({ min: 1, max: 7 }),
        reads: fc.constantFrom(3, 1000),
      });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fields, { maxLength: 30 }), fc.array(wanted, { minLength: 1, maxLength: 8 }), async (all, searches) => {
          run += 1;
          const store = openSqliteStore(join(folder.path, `${run}.db`), [note]);
          if (all.length > 0) await store.insertAll(note, all, () => "");
          await fill(all);
          for (const { search, sort, state, limit, reads } of searches) {
            const listing = { search, sort, filters: state === null ? {} : { state: { exact: [state] } } };
            const expected = await store.list(note, { ...listing, limit: 100, count: true });
            expect([search, await walk((after) => read({ ...listing, limit, after }, reads))]).toEqual([search, ids(expected)]);
            expect((await read({ ...listing, limit: 1, count: true })).count).toEqual(expected.count);
            const best = ids(await read({ ...listing, sort: ["relevance"], limit: 100 }));
            expect(best.toSorted((a, b) => a - b)).toEqual(ids(expected).toSorted((a, b) => a - b));
          }
          await store.close();
        }),
        runs(60),
      );
    });
  });

  const record = (title: string, state: Fields["state"] = "open"): Fields => ({ title, body: null, state });

  testInFull("of two words that many records have, but few together, all are found, on short pages", async () => {
    await fill(Array.from({ length: 12_000 }, (_, index) => record(index % 2 ? "red" : index === 100 ? "red blue" : "blue")));
    const first = await read({ search: "red blue", limit: 5 });
    expect([ids(first), first.next]).toEqual([[101], null]);
    await fill(Array.from({ length: 24_000 }, (_, index) => record(index % 2 && index > 1 ? "red" : index < 2 ? "red blue" : "blue")));
    const page = await read({ search: "red blue", limit: 5 });
    expect([ids(page), page.next !== null]).toEqual([[], true]);
    expect(await walk((after) => read({ search: "red blue", limit: 5, after }))).toEqual([2, 1]);
    expect((await read({ search: "red blue", limit: 5, count: true })).count).toEqual({ value: 0, isExact: false });
    expect(ids(await read({ search: "red blue", limit: 5, sort: ["relevance"] }))).toEqual([2, 1]);
  });

  test("relevance: short texts, frequent and rare words come first; of equal ones the newest", async () => {
    await fill([
      record("lamp and a lot of other words that nobody asks for"),
      record("lamp lamp lamp"),
      record("lamp"),
      record("lamp"),
      record("door"),
      ...Array.from({ length: 30 }, () => record("a lamp with a shade")),
      record("shade lamp rare"),
    ]);
    const best = async (search: string) => ids(await read({ search, limit: 4, sort: ["relevance"] }));
    expect(await best("lamp")).toEqual([2, 4, 3, 36]);
    expect((await best("rare lamp"))[0]).toBe(36);
  });

  test("a search by relevance ranks among the newest 1,000, and filters those", async () => {
    await fill(
      Array.from({ length: 1500 }, (_, index) => record(index < 600 ? "lamp" : "lamp with some more words", index % 2 ? "open" : "closed")),
    );
    const { rows, next } = await read({ search: "lamp", limit: 200, sort: ["relevance"], filters: { state: { exact: ["open"] } } });
    expect([rows.length, next, rows[0]?.id, rows[49]?.id, rows[50]?.id]).toEqual([200, null, 600, 502, 1500]);
  });

  testInFull("a page looks at as much in a table that is ten times as large", async () => {
    const costs: number[][] = [];
    for (const amount of [2000, 20_000]) {
      await fill(Array.from({ length: amount }, (_, index) => record(`door ${index % 2 ? "red" : "blue"} n${index}`)));
      const found: number[] = [];
      for (const search of ["door", "door red", `n${amount / 2}`])
        for (const sort of [["-id"], ["relevance"]]) {
          statements.length = 0;
          await read({ search, limit: 20, sort });
          let blocks = 0;
          for (const statement of [...statements]) blocks += blocksOf(await explain(database, statement));
          found.push(blocks);
        }
      costs.push(found);
    }
    const [small, large] = costs as [number[], number[]];
    for (const [index, blocks] of large.entries())
      expect([index, blocks, blocks <= 1.3 * (small[index] as number) + 60]).toEqual([index, blocks, true]);
  });
});
