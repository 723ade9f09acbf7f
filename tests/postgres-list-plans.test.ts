// How PostgreSQL reads the pages of lists: each statement is a range of an index, and a page costs the same in a large table.
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Listing } from "../src/store/listing";
import type { Queries } from "../src/store/postgres/connection/queries";
import { Pages } from "../src/store/postgres/lists/pages";
import { blocksOf, explain, nodesOf, noting, type PlanNode, type Statement } from "./support/explained";
import { fewer, isInFull } from "./support/in-full";
import { alike, bothDirections, manyLists, type Shelf, shelf } from "./support/list-model";
import { openPostgresTable } from "./support/list-tables";
import { describeWithPostgres, usePostgres } from "./support/postgres";

describeWithPostgres("plans", () => {
  const postgres = usePostgres();
  let table: Awaited<ReturnType<typeof openPostgresTable>>;
  beforeEach(async () => {
    table = await openPostgresTable(postgres(), shelf);
  });
  afterEach(() => table.close());

  const statements: Statement[] = [];
  const read = (listing: Listing) => new Pages(shelf, table.slots).read(noting(table.database, statements) as Queries, listing);

  /** The lists that are measured: each way to read one. */
  const measured: Omit<Listing, "limit">[] = [
    {},
    { sort: ["-id"] },
    { sort: ["-createdAt"] },
    { sort: ["state", "-due"] },
    { sort: ["-weight", "name", "price"] },
    { sort: ["isOpen", "-createdAt"], filters: { isOpen: { exact: [true] } } },
    { sort: ["state", "-due"], filters: { state: { exact: ["new"] } } },
    { filters: { state: { exact: ["new"] } } },
    { filters: { state: { exact: ["new", "open"] } }, sort: ["-id"] },
    { filters: { tags: { contains: ["red"] } } },
    { filters: { name: { prefix: "rare" } }, sort: ["updatedAt"] },
    { filters: { name: { prefix: "S" }, weight: { max: 1 } }, sort: ["-id"] },
    { filters: { isOpen: { exact: [true] }, weight: { max: 1 } } },
    { updatedSince: "2026-01-01T00:00:00.000Z", filters: { name: { prefix: "S" } } },
  ];

  async function expectRanges(statement: Statement): Promise<void> {
    const nodes = nodesOf(await explain(table.database, statement));
    const kinds = new Set(nodes.map((node) => node["Node Type"]));
    expect([statement.sql, [...kinds].filter((kind) => !allowed.includes(kind))]).toEqual([statement.sql, []]);
    const limited = new Set(nodes.filter((node) => node["Node Type"] === "Limit").flatMap(({ Plans = [] }) => Plans));
    for (const node of nodes) {
      const [kind, condition] = [node["Node Type"], node["Index Cond"]];
      if (kind === "Sort") expect([statement.sql, isBounded(node)]).toEqual([statement.sql, true]);
      if (kind.startsWith("Index") && condition === undefined) expect([statement.sql, limited.has(node)]).toEqual([statement.sql, true]);
    }
  }

  test("each statement reads ranges of indexes, and sorts only what a limit has let through", async () => {
    const ways = bothDirections.flatMap((sort) => manyLists.map((by) => ({ ...by, sort })));
    // Each direction and each kind of list. Their statements are few.
    const some = ways.filter((_, index) => isInFull || index % 5 === 0);
    for (const amount of [10, 3000]) {
      await table.fill(alike(amount));
      // As autovacuum does at some time.
      if (amount > 10) await postgres().evaluate("ANALYZE");
      for (const way of some) {
        const listing = { limit: 5, ...way };
        const { next } = await read(listing);
        if (next) await read({ ...listing, after: next, count: way.sort.length === 1 });
      }
    }
    const different = [...new Map(statements.map((one) => [one.sql, one])).values()];
    expect(different.length).toBeGreaterThan(8);
    expect(different.length).toBeLessThan(20);
    for (const statement of different) await expectRanges(statement);
    // Statistics of a table from which all was deleted, as autovacuum makes them, say that it has one row, whatever it has since then.
    await postgres().evaluate("DELETE FROM shelves; DELETE FROM warren_entries; ANALYZE");
    await table.fill(alike(300));
    for (const statement of different) await expectRanges(statement);
  });

  test("a page looks at as many pages of the disk in a table that is ten times as large, on the first page and deep in it", async () => {
    const costs: Map<string, readonly number[]>[] = [];
    for (const amount of [fewer(2000), fewer(20_000)]) {
      // In a table of its own, without what was deleted. Without ANALYZE and VACUUM, the statistics are of an empty table.
      await table.close();
      table = await openPostgresTable(postgres(), shelf);
      await table.fill(
        alike(amount).map((record, index): Shelf => ({ ...record, price: index, createdAt: timeOf(index), updatedAt: timeOf(index * 7) })),
      );
      const found = new Map<string, readonly number[]>();
      for (const one of measured) {
        let after: Listing["after"];
        for (const page of ["first", "second", "deep"]) {
          statements.length = 0;
          const { next } = await read({ limit: 20, ...one, after });
          const blocks: number[] = [];
          for (const statement of [...statements]) blocks.push(blocksOf(await explain(table.database, statement)));
          found.set(`${page} ${JSON.stringify(one)}`, blocks);
          if (!next) break;
          after = page === "first" ? next : { ...next, id: Math.floor(amount / 2) };
        }
      }
      costs.push(found);
    }
    const [small, large] = costs as [Map<string, readonly number[]>, Map<string, readonly number[]>];
    expect(large.size).toBeGreaterThan(2 * measured.length);
    const sum = (blocks: readonly number[] = []) => blocks.reduce((total, one) => total + one, 0);
    for (const [what, blocks] of large) {
      const isAlike = sum(blocks) <= 1.5 * sum(small.get(what)) + 60;
      expect([what, blocks, isAlike]).toEqual([what, blocks, true]);
    }
  });
});

const allowed = ["Aggregate", "Function Scan", "Index Only Scan", "Index Scan", "Limit", "Nested Loop", "Result", "Sort", "Subquery Scan"];

/** Returns whether what is sorted comes from an array, or from below a limit. */
function isBounded(node: PlanNode): boolean {
  return nodesOf(node).some((each) => each["Node Type"] === "Function Scan" || each["Node Type"] === "Limit");
}

function timeOf(index: number): string {
  return new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
}
