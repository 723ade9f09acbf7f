// How SQLite reads the pages of lists.
import { expect, test } from "bun:test";
import { alike, bothDirections, manyLists, shelf } from "./support/list-model";
import { openSqliteTable } from "./support/list-tables";

/** Number of records that a page may read: few, since the plans are the same for more. */
const reads = 100;

test("SQLite looks everything up in an index, and sorts only the few that one has found", async () => {
  const pages = await openSqliteTable(shelf, reads);
  const { db } = pages;
  const statements = new Set<string>();
  const { prepare } = db;
  db.prepare = ((sql: string) => {
    statements.add(sql);
    return prepare.call(db, sql);
  }) as typeof prepare;
  for (const amount of [10, 2 * reads]) {
    await pages.fill(alike(amount));
    for (const sort of bothDirections)
      for (const by of manyLists) {
        const listing = { limit: 5, sort, ...by };
        const { next } = await pages.read(listing);
        if (next) await pages.read({ ...listing, after: next, count: sort.length === 1 });
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
  await pages.close();
});
