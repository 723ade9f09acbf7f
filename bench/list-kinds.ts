// Records and lists that the benchmarks of lists share.
import { Type } from "@sinclair/typebox";
import { defineResource, oneOf, type RecordOf } from "warren/resource";
import type { Listing, Place } from "../src/store/listing";
import type { Store } from "../src/store/store";
import { type Column, VoidRun } from "./benchmark";
import { scatter } from "./seeded";

/** Number of records of a large and of a small table. */
export const [many, few] = [1_000_000, 10_000];
/** Number of records of a page. */
export const limit = 50;
/** Number of different places at which pages start. */
const places = 2000;

const states = ["open", "waiting", "closed"] as const;
const tags: string[] = [];
/** A resource without indexes. */
export const plain = {
  name: "entry" as const,
  plural: "entries" as const,
  fields: {
    title: Type.String({ maxLength: 200 }),
    state: oneOf(...states),
    tags: Type.Array(Type.String()),
    dueAt: Type.String({ format: "date-time" }),
    text: Type.String(),
  },
  example: { title: "Lamp", state: "open" as const, tags, dueAt: "2026-01-01T00:00:00.000Z", text: "" },
};
/** The same with indexes and a search. */
export const entry = defineResource({
  ...plain,
  filters: { state: "exact", tags: "contains" },
  indexes: ["state", "tags"],
  sort: ["dueAt", ["state", "-dueAt"]],
  search: ["title"],
});
type Entry = RecordOf<typeof entry>;

export interface List {
  readonly column: Pick<Column, "key" | "label">;
  readonly listing: Omit<Listing, "limit" | "after">;
  placeOf(record: Entry): Place;
  fits(record: Entry): boolean;
}

const byId = ({ id }: Entry): Place => ({ keys: [], id });
const seconds = ({ dueAt }: Entry) => Date.parse(dueAt) / 1000;
const byState = (record: Entry): Place => ({ keys: [record.state, seconds(record)], id: record.id });
const isOpen = ({ state }: Entry) => state === "open";

export const kinds: readonly List[] = [
  { column: { key: "exact", label: "exact" }, listing: { filters: { state: { exact: ["open"] } } }, placeOf: byId, fits: isOpen },
  {
    column: { key: "values", label: "two values" },
    listing: { filters: { state: { exact: ["open", "waiting"] } }, sort: ["-id"] },
    placeOf: byId,
    fits: ({ state }) => state !== "closed",
  },
  {
    column: { key: "contains", label: "contains" },
    listing: { filters: { tags: { contains: ["red"] } } },
    placeOf: byId,
    fits: ({ tags }) => tags.includes("red"),
  },
  {
    column: { key: "sort", label: "by dueAt" },
    listing: { sort: ["dueAt"] },
    placeOf: (record) => ({ keys: [seconds(record)], id: record.id }),
    fits: () => true,
  },
  { column: { key: "tuple", label: "by state,-dueAt" }, listing: { sort: ["state", "-dueAt"] }, placeOf: byState, fits: () => true },
  {
    column: { key: "both", label: "exact and sorted" },
    listing: { filters: { state: { exact: ["open"] } }, sort: ["state", "-dueAt"] },
    placeOf: (record) => byState({ ...record, state: "open" }),
    fits: isOpen,
  },
  {
    column: { key: "search", label: "search" },
    listing: { search: "red lamp" },
    placeOf: byId,
    fits: ({ title }) => /red/i.test(title) && /lamp/i.test(title),
  },
];

export function entryOf(id: number): Entry {
  const number = scatter(id);
  const time = new Date(Date.UTC(2026, 0, 1) + (number % 100_000_000) * 100).toISOString();
  const state = states[number % 3] as (typeof states)[number];
  const title = `${number % 2 ? "Red" : "Blue"} ${number % 5 ? "lamp" : "door"} ${number}`;
  const tags = number % 2 ? ["red", "new"] : ["blue"];
  return { id, title, state, tags, dueAt: time, text: "x".repeat(100), version: 1, createdAt: time, updatedAt: time };
}

/**
 * Measures pages that start at random places.
 *
 * @param cpu returns a function that resolves with the CPU time per page since then, in microseconds.
 */
export async function measurePages(
  store: Store,
  records: number,
  cpu: () => Promise<(pages: number) => Promise<number>>,
): Promise<Record<string, number>> {
  const sample: Record<string, number> = {};
  for (const list of kinds) {
    const starts = await startsOf(store, list, records);
    await pages(store, list, starts);
    const since = await cpu();
    await pages(store, list, starts);
    sample[list.column.key] = await since(places);
  }
  return sample;
}

/** Starts to measure this process. The returned function returns its CPU time since then, in microseconds. */
export function ownCpu(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
}

async function startsOf(store: Store, { placeOf }: List, records: number): Promise<Place[]> {
  const ids = Array.from({ length: places }, () => 1 + Math.floor(Math.random() * records));
  const found = await Promise.all(ids.map((id) => store.get(entry, id)));
  return found.map((stored) => placeOf(JSON.parse(stored?.json ?? "") as Entry));
}

/** @throws {VoidRun} unless most pages are full, and have only records that match. */
async function pages(store: Store, { column, listing, fits }: List, starts: readonly Place[]): Promise<void> {
  let rows = 0;
  for (const after of starts) {
    const page = await store.list(entry, { ...listing, limit, after });
    rows += page.rows.length;
    const last = page.rows.at(-1);
    if (last && !fits(JSON.parse(last.json) as Entry)) throw new VoidRun(`a page of "${column.label}" has a record that does not match`);
  }
  if (rows < starts.length * limit * 0.9) throw new VoidRun(`the pages of "${column.label}" are not full`);
}
