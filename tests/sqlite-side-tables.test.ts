// SQLite's tables of unique keys and references: whatever is changed, merged or interrupted, they agree with the records.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable, type Resource } from "warren/resource";
import { openSqliteStore } from "../src/store/sqlite/store";
import { temporaryFolder } from "./support/folder";
import { runs } from "./support/in-full";
import { wrongSideTables } from "./support/side-tables";

const fields = { code: Nullable(Type.String()), boss: Nullable(Type.Integer()), likes: Type.Array(Type.Integer(), { default: [] }) };
const example = { code: null, boss: null, likes: [] };
const worker = defineResource({
  name: "worker",
  fields,
  unique: ["code"],
  references: { boss: { to: "worker", onDelete: "null" }, "likes[]": { to: "worker", onDelete: "cascade" } },
  example,
});
const plain = defineResource({ name: "worker", fields, example });

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "warren.db");
});
afterEach(() => folder.remove());
const openWith = (resource: Resource = worker, journalAtMost?: number) => openSqliteStore(file, [resource], { journalAtMost });
const rowsOf = (table: string) => {
  const db = new Database(file, { readonly: true });
  const { n } = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM "${table}"`).get() ?? { n: -1 };
  db.close();
  return n;
};
const coded = (code: string) => ({ ...example, code });

test("what is merged is in the tables, what is not is in the journal, and the next start merges it", async () => {
  const store = openWith(worker, 100);
  await Promise.all(Array.from({ length: 250 }, (_, number) => store.insert(worker, { ...coded(`w${number}`), boss: null })));
  await store.update(worker, 1, (current) => ({ ...current, boss: 250, likes: [3, 3, 4] }));
  await store.close();
  expect(rowsOf("warren_side_journal")).toBeGreaterThan(0);
  expect(wrongSideTables(file, [worker])).toEqual([]);
  await openWith().close();
  expect([rowsOf("warren_side_journal"), rowsOf("workers:unique:code"), rowsOf("workers:references:likes[]")]).toEqual([0, 250, 2]);
  expect(wrongSideTables(file, [worker])).toEqual([]);
});

test("a long row of changes is merged while it goes on, and the journal becomes short again", async () => {
  const store = openWith(worker, 50);
  for (let number = 0; number < 40; number += 1)
    await Promise.all(Array.from({ length: 25 }, (_, each) => store.insert(worker, coded(`w${number}.${each}`))));
  for (let tries = 0; rowsOf("warren_side_journal") > 60 && tries < 1000; tries += 1) await store.insert(worker, example);
  expect(rowsOf("warren_side_journal")).toBeLessThanOrEqual(60);
  await store.close();
  expect(wrongSideTables(file, [worker])).toEqual([]);
});

test("a table that is no longer declared is dropped, with a journal that still has changes of it", async () => {
  const store = openWith();
  await store.insert(worker, coded("a"));
  await store.close();
  const without = openWith(plain);
  await without.insert(plain, coded("a"));
  await without.close();
  expect(wrongSideTables(file, [plain])).toEqual([]);
  expect(() => openWith()).toThrow("worker 1 and worker 2 are equal");
});

test("a file that was copied at any moment, as a power cut leaves it, has tables that agree with its records", async () => {
  const action = fc.record({
    id: fc.integer({ min: 1, max: 12 }),
    code: fc.constantFrom("a", "b", "c", "d", null),
    boss: fc.option(fc.integer({ min: 1, max: 12 })),
    likes: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
    what: fc.constantFrom("insert", "update", "update", "remove"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(action, { maxLength: 6 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 6 }),
      async (groups, most) => {
        const own = temporaryFolder();
        file = join(own.path, "warren.db");
        const store = openWith(worker, most);
        for (const [number, group] of groups.entries()) {
          const changes = group.map(({ what, id, ...rest }): Promise<unknown> => {
            if (what === "insert") return store.insert(worker, rest);
            return what === "remove" ? store.remove(worker, id) : store.update(worker, id, () => rest);
          });
          await Promise.allSettled(changes);
          const copy = join(own.path, `${number}.db`);
          for (const end of ["", "-wal"]) cpSync(`${file}${end}`, `${copy}${end}`);
          expect(wrongSideTables(copy, [worker])).toEqual([]);
          await openSqliteStore(copy, [worker]).close();
          expect(wrongSideTables(copy, [worker])).toEqual([]);
        }
        await store.close();
        own.remove();
      },
    ),
    runs(25),
  );
});
