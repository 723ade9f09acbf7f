import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { defineResource } from "warren/resource";
import { openSqliteStore } from "../../src/store/sqlite/store";
import type { Benchmark, Column, Context, Sample } from "../benchmark";
import { entry, entryOf, few, kinds, limit, many, measurePages, ownCpu, plain } from "../list-kinds";

const aim = { atMost: 1.5 };

export const lists: Benchmark = {
  name: "lists",
  title: `a page of ${limit} at any depth of ${many.toLocaleString("en-US")} records vs. of ${few.toLocaleString("en-US")}, in the store, in CPU µs`,
  needs: [],
  rounds: 3,
  columns: kinds.map(({ column }) => ({ ...column, digits: 0, aim })) as [Column, ...Column[]],
  warren: { name: "any depth", run: (context) => measured(context, context.size ?? many) },
  baseline: { name: "of few", run: (context) => measured(context, few) },
};

async function measured({ folder }: Context, records: number): Promise<Sample> {
  const file = join(folder, "lists", "warren.db");
  mkdirSync(join(folder, "lists"), { recursive: true });
  await openSqliteStore(file, [defineResource(plain)]).close();
  fill(file, records);
  // This start makes the indexes.
  const store = openSqliteStore(file, [entry]);
  const sample = await measurePages(store, records, async () => {
    const own = ownCpu();
    return async (pages) => own() / pages;
  });
  await store.close();
  return sample;
}

/** Writes records into the table. */
function fill(file: string, records: number): void {
  const db = new Database(file);
  for (const pragma of ["synchronous = OFF", "cache_size = -1000000", "wal_autocheckpoint = 100000"]) db.run(`PRAGMA ${pragma}`);
  const insert = db.prepare("INSERT INTO entries (id, version, json) VALUES (?, 1, ?)");
  const write = db.transaction((from: number) => {
    for (let id = from; id < from + few; id += 1) insert.run(id, JSON.stringify(entryOf(id)));
  });
  for (let from = 1; from <= records; from += few) write(from);
  db.close();
}
