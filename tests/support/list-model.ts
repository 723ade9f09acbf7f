// A resource with many filters and orders, and a simple model of its lists.
import { expect } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable, oneOf, type RecordOf } from "warren/resource";
import type { Condition, Listing, Page } from "../../src/store/listing";

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
export const shelf = defineResource({ ...base, sort, indexes: ["name", "price", "state", "tags", "place.city"] });
export const plain = defineResource({ ...base, sort });
/** One with tenants and owners. */
export const owned = defineResource({
  ...base,
  sort,
  indexes: ["name", "state"],
  owner: "keeper",
  scope: { field: "team", claim: "org_id" },
});
export type Shelf = RecordOf<typeof shelf>;

export const orders = [["id"], ["createdAt"], ["updatedAt"], ...sort.map((one) => [one].flat())].map((order) => [...order] as string[]);

/** Each order and its reverse. */
export const bothDirections = [...orders, ...orders.map((order) => order.map((key) => (key.startsWith("-") ? key.slice(1) : `-${key}`)))];

/** Returns a record with any fields. */
export function whole(record: Partial<Shelf>, index: number): Shelf {
  const time = "2026-01-01T00:00:00.000Z";
  return { id: index + 1, ...example, version: 1, createdAt: time, updatedAt: time, ...record };
}

/** Reads the pages of a list one after the other. Resolves with the number of pages and all their records. */
export async function walk(
  pages: { read(listing: Listing): Promise<Page> },
  listing: Listing,
  between: (page: Page) => unknown = () => {},
): Promise<{ count: number; found: Shelf[] }> {
  const found: Shelf[] = [];
  for (let count = 1, { after } = listing; ; count += 1) {
    const page = await pages.read({ ...listing, after });
    expect(page.rows.length).toBeLessThanOrEqual(listing.limit);
    if (count > 1000) throw new Error("The pages of this list have no end");
    found.push(...page.rows.map(({ json }) => JSON.parse(json) as Shelf));
    if (page.next === null) return { count, found };
    // As a cursor holds it.
    after = JSON.parse(JSON.stringify(page.next)) as Listing["after"];
    await between(page);
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
export function listed(records: readonly Shelf[], { sort: by = ["id"], updatedSince = "", filters: wanted = {} }: Listing): Shelf[] {
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
export const record = fc.record({
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
export const records = fc.array(record, { maxLength: 40 });
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
export const listing = fc.record(
  {
    limit: fc.integer({ min: 1, max: 12 }),
    sort: fc.constantFrom(...bothDirections),
    updatedSince: time,
    filters: few,
  },
  { requiredKeys: ["limit"] },
) as fc.Arbitrary<Listing>;

const someFilters: Listing["filters"][] = [
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
/** Lists with each kind of condition, and with several. */
export const manyLists: Partial<Listing>[] = [
  ...someFilters.map((one) => ({ filters: one })),
  since,
  { ...since, filters: { name: { prefix: "S" } } },
];

/** Returns records of which each of {@link manyLists} has many. */
export function alike(amount: number): Shelf[] {
  const record = (index: number) => ({ tags: ["red", "new"], ...(index % 2 && { due: "2026-01-02T00:00:00Z", weight: 1 }) });
  return Array.from({ length: amount }, (_, index) => whole(record(index), index));
}

/** Values of the fields of owner and tenant, for a record and for a list. */
export const limits = fc.record({ team: fc.constantFrom("a", "b", null), keeper: fc.constantFrom("ada", "bob", null) });
