import { statSync } from "node:fs";
import { join } from "node:path";
import { item } from "../src/domain/item";
import { openPostgresStore } from "../src/store/postgres/store";
import { openSqliteStore } from "../src/store/sqlite/store";
import type { Store } from "../src/store/store";
import type { PostgresSchema } from "../tests/support/postgres";
import type { Seed } from "./benchmark";
import { sampleItem } from "./sample-events";

/** Maximum number of writes that the store commits together. */
const group = 1000;
const progressEvery = 1_000_000;

/** Returns the path of the database in the folder passed to Warren. */
export const databaseIn = (folder: string) => join(folder, "data", "warren.db");

/**
 * Returns a function that creates databases through the store, commit by commit, as the API does, while no relay sends their events. It
 * creates each database on the first call, in a separate folder.
 */
export function seededDatabases(folder: string, progress: (text: string) => void): (seed: Seed) => Promise<string> {
  const made = new Map<string, Promise<string>>();
  return (seed) => {
    const name = `${seed.items}-${seed.updates}`;
    const database = made.get(name) ?? write(join(folder, name), seed, progress);
    made.set(name, database);
    return database;
  };
}

async function write(folder: string, seed: Seed, progress: (text: string) => void): Promise<string> {
  const started = performance.now();
  const file = databaseIn(folder);
  const store = openSqliteStore(file, [item]);
  await fill(store, seed, progress);
  await store.close();
  const gigabytes = statSync(file).size / 1024 ** 3;
  const figures = eventsIn(seed.items + seed.updates);
  progress(`${figures} written in ${((performance.now() - started) / 1000).toFixed(0)} s, ${gigabytes.toFixed(2)} GB`);
  return folder;
}

/** Fills a schema as {@link seededDatabases} fills a file. */
export async function fillPostgres(schema: PostgresSchema, seed: Seed): Promise<PostgresSchema> {
  const store = await openPostgresStore(schema.address, [item]);
  await fill(store, seed);
  await store.close();
  return schema;
}

const eventsIn = (events: number) => `${events.toLocaleString("en-US")} events`;

async function fill(store: Store, { items, updates }: Seed, progress: (text: string) => void = () => {}): Promise<void> {
  for (let written = 0; written < items + updates; written += group) {
    const inserted = Math.min(written, items);
    const inserts = Array.from({ length: Math.min(group, items - inserted) }, (_, n) => store.insert(item, itemOf(inserted + n + 1)));
    const updated = Math.max(0, written - items);
    const length = inserts.length > 0 ? 0 : Math.min(group, updates - updated);
    const changes = Array.from({ length }, (_, n) =>
      store.update(item, 1 + (scatter(updated + n + 1) % items), (current) => ({ ...current, description: `Change ${current.version}` })),
    );
    await Promise.all([...inserts, ...changes]);
    if (written > 0 && written % progressEvery === 0) progress(`${eventsIn(written)} of ${eventsIn(items + updates)} written …`);
  }
}

/** Returns an item with a scattered name and price. One in ten has a name from `Item 1`, and one in ten a price from 100 to 200. */
function itemOf(id: number) {
  const number = scatter(id);
  return {
    ...sampleItem,
    name: `Item ${String(number).padStart(10, "0").split("").reverse().join("")}`,
    price: (scatter(number) % 100_000) / 100,
  };
}

/** Returns a different number for each number, the same in every run: Knuth's multiplicative hash. */
export function scatter(n: number): number {
  return Math.imul(n, 2_654_435_761) >>> 0;
}
