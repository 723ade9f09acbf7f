// Lists of the store beyond pages and orders (tests/list-pages.test.ts): values, null, arrays, search and its index.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, oneOf, pastVersion, type RecordOf, type Resource } from "warren/resource";
import { type Listing, rankedAtMost } from "../src/store/listing";
import { forEachEngineInFull } from "./support/engines";
import { isInFull } from "./support/in-full";
import { useStore } from "./support/use-store";

// Thousands of records take their time on a busy machine.
setDefaultTimeout(60_000);

const fields = {
  title: Type.String({ maxLength: 200 }),
  body: Nullable(Type.String()),
  state: oneOf("open", "waiting", "closed"),
  urgent: Type.Boolean(),
  hours: Nullable(Type.Number()),
  tags: Type.Array(Type.String()),
  votes: Type.Array(Type.Integer()),
  dueAt: Nullable(Type.String({ format: "date-time" })),
  day: Nullable(Type.String({ format: "date" })),
  place: Nullable(Type.Object({ city: Type.String(), room: Nullable(Type.Integer()) })),
};
const example = {
  title: "Door",
  body: null,
  state: "open" as const,
  urgent: false,
  hours: null,
  tags: [],
  votes: [],
  dueAt: null,
  day: null,
  place: null,
};
const filters = {
  state: "exact",
  urgent: "exact",
  hours: ["exact", "range"],
  tags: "contains",
  votes: "contains",
  dueAt: ["exact", "range"],
  day: "range",
  "place.city": "exact",
  "place.room": "exact",
} as const;
const base = { name: "ticket" as const, fields, filters, example };
const search = ["title", "body"] as const;
const sort = ["dueAt", ["state", "-dueAt"]] as const;
const ticket = defineResource({ ...base, indexes: ["state", "tags", "votes", "hours", "dueAt", "place.city"], search, sort });
/** The same without indexes. */
const plain = defineResource(base);
type Ticket = RecordOf<typeof ticket>;

forEachEngineInFull((placesIn) => {
  afterEach(() => {
    setSystemTime();
  });
  const { open, reopen, store } = useStore(placesIn, [ticket]);
  const insert = (...tickets: Partial<typeof example | Ticket>[]) =>
    Promise.all(tickets.map((one) => store.insert(ticket, { ...example, ...one } as Ticket)));
  const ids = async (listing: Omit<Listing, "limit">, of: Resource = ticket) => {
    const { rows } = await store.list(of, { limit: 100, ...listing });
    return rows.map(({ id }) => id);
  };

  describe.each([
    ["with indexes", ticket],
    ["without", plain],
  ])("filters, %s", (_, resource) => {
    beforeEach(async () => {
      await reopen([resource]);
      await insert(
        { state: "open", hours: 0, tags: ["red", "new"], votes: [1], place: { city: "London", room: 1 } },
        { state: "closed", urgent: true, hours: 1.5, tags: ["red"], dueAt: "2026-01-01T00:30:00+01:00", day: "2026-01-31" },
        { state: "waiting", hours: 2, tags: ["null"], dueAt: "2025-12-31T23:30:00.000Z", place: { city: "London", room: null } },
        { state: "waiting", urgent: true, tags: [], dueAt: "2026-01-02T00:00:00z", day: "2026-02-01", place: { city: "null", room: 2 } },
      );
    });
    const found = (by: Listing["filters"]) => ids({ filters: by }, resource);

    test("exact: one value, or one of several, of each type", async () => {
      expect(await found({ state: { exact: ["waiting"] } })).toEqual([3, 4]);
      expect(await found({ state: { exact: ["waiting", "closed", "waiting"] } })).toEqual([2, 3, 4]);
      expect(await found({ urgent: { exact: [true] } })).toEqual([2, 4]);
      expect(await found({ urgent: { exact: [false] }, state: { exact: ["open", "closed"] } })).toEqual([1]);
      expect(await found({ hours: { exact: [0, 1.5] } })).toEqual([1, 2]);
      expect(await found({ state: { exact: [] } })).toEqual([]);
    });

    test("exact: null is what is null or missing, and no text", async () => {
      expect(await found({ hours: { exact: [null] } })).toEqual([4]);
      expect(await found({ "place.city": { exact: [null] } })).toEqual([2]);
      expect(await found({ "place.city": { exact: ["null"] } })).toEqual([4]);
      expect(await found({ "place.city": { exact: ["null", null] } })).toEqual([2, 4]);
      expect(await found({ "place.room": { exact: [null, 1] } })).toEqual([1, 2, 3]);
    });

    test("times are instants, whatever their offset", async () => {
      expect(await found({ dueAt: { exact: ["2025-12-31T23:30:00Z"] } })).toEqual([2, 3]);
      expect(await found({ dueAt: { exact: ["2025-12-31T23:30:00Z", "2026-01-01T00:30:00+01:00"] } })).toEqual([2, 3]);
      expect(await found({ dueAt: { min: "2026-01-01T00:00:00Z" } })).toEqual([4]);
      expect(await found({ dueAt: { max: "2026-01-01T00:00:00Z" } })).toEqual([2, 3]);
      expect(await found({ day: { min: "2026-01-31", max: "2026-01-31" } })).toEqual([2]);
    });

    test("contains: all of the values", async () => {
      expect(await found({ tags: { contains: ["red"] } })).toEqual([1, 2]);
      expect(await found({ tags: { contains: ["red", "new"] } })).toEqual([1]);
      expect(await found({ tags: { contains: ["new", "null"] } })).toEqual([]);
      expect(await found({ votes: { contains: [1] } })).toEqual([1]);
      expect(await found({ tags: { contains: [] } })).toEqual([1, 2, 3, 4]);
    });

    test("what an array contains follows every change", async () => {
      await store.update(resource as typeof ticket, 1, (current) => ({ ...current, tags: ["blue", "blue"], votes: [1] }));
      await store.remove(resource as Resource, 2);
      expect(await found({ tags: { contains: ["red"] } })).toEqual([]);
      expect(await found({ tags: { contains: ["blue"] } })).toEqual([1]);
      expect(await found({ votes: { contains: [1] } })).toEqual([1]);
    });
  });

  test("null comes first, and last in descending order; ties are in the order of ids", async () => {
    await insert(
      { state: "open" },
      { state: "closed", dueAt: "2026-01-02T00:00:00Z" },
      { state: "open", dueAt: "2026-01-01T00:00:00Z" },
      { state: "open" },
    );
    expect(await ids({ sort: ["dueAt"] })).toEqual([1, 4, 3, 2]);
    expect(await ids({ sort: ["-dueAt"] })).toEqual([2, 3, 4, 1]);
    expect(await ids({ sort: ["state", "-dueAt"] })).toEqual([2, 3, 4, 1]);
    expect(await ids({ sort: ["-state", "dueAt"] })).toEqual([1, 4, 3, 2]);
  });

  test("what a resource does not declare is an error that says so", async () => {
    await expect(ids({ sort: ["title"] })).rejects.toThrow('The lists of "ticket" cannot be sorted by "title".');
    await expect(ids({ filters: { title: { prefix: "a" } } })).rejects.toThrow('The resource "ticket" has no filter for "title".');
    await expect(ids({ search: "a", sort: ["dueAt"] })).rejects.toThrow('A search cannot be sorted by "dueAt".');
    await reopen([plain]);
    await expect(ids({ search: "a" }, plain)).rejects.toThrow('The lists of "ticket" cannot be searched.');
  });

  describe("search", () => {
    test("finds records with all words, in any field, whatever the case and accents; the newest first", async () => {
      await insert({ title: "Front door", body: "It is Résumé-grey" }, { title: "Back DOOR" }, { title: "Roof", body: "no doors" });
      expect(await ids({ search: "door" })).toEqual([2, 1]);
      expect(await ids({ search: "resume  front" })).toEqual([1]);
      expect(await ids({ search: "door", sort: ["id"] })).toEqual([1, 2]);
      expect(await ids({ search: "grey", filters: { state: { exact: ["closed"] } } })).toEqual([]);
    });

    test.each([
      '"',
      'a"b',
      "door OR roof",
      "roof*",
      "-door",
      "NEAR(front door)",
      "title:door",
      "^front",
      "(",
      "front + door",
      "{}",
      "door AND",
      "☃",
      " ",
    ])("%p has no operators: it finds nothing, or what has the words", async (words) => {
      await insert({ title: "Front door" }, { title: "Roof" });
      expect(await ids({ search: words })).toEqual(
        words === "-door" || words === "^front" || words === "front + door" ? [1] : words === "roof*" ? [2] : [],
      );
    });

    test("in pages, while others change", async () => {
      await insert(
        ...Array.from(
          { length: 25 },
          (_, index) => ({ title: index % 5 ? "Door" : "Roof", state: index % 2 ? "open" : "closed" }) as const,
        ),
      );
      const seen: number[] = [];
      for (let after: Listing["after"]; ; ) {
        const { rows, next } = await store.list(ticket, { limit: 3, search: "door", filters: { state: { exact: ["open"] } }, after });
        seen.push(...rows.map(({ id }) => id));
        if (!next) break;
        after = next;
        await insert({ title: "Door" });
        await store.remove(ticket, (rows.at(-1)?.id ?? 0) - 1);
      }
      expect(seen).toEqual([24, 22, 20, 18, 14, 12, 10, 8, 4, 2]);
    });

    test("follows every change in its commit, and a change that is refused leaves nothing", async () => {
      await insert({ title: "Door" }, { title: "Gate" });
      await store.update(ticket, 1, (current) => ({ ...current, title: "Window" }));
      await store.update(ticket, 2, (current) => ({ ...current, state: "closed" as const }));
      expect([await ids({ search: "door" }), await ids({ search: "window" }), await ids({ search: "gate" })]).toEqual([[], [1], [2]]);
      await expect(store.insert(ticket, { ...example, title: "Lost", hours: Number.NaN })).rejects.toThrow();
      await store.remove(ticket, 1);
      expect([await ids({ search: "window" }), await ids({ search: "lost" })]).toEqual([[], []]);
    });

    test("by relevance: the best of the newest matches, on one page", async () => {
      await insert({ title: "Lamp lamp lamp lamp" });
      const others = Array.from({ length: rankedAtMost }, (_, index) => ({
        title: index === 500 ? "Lamp lamp" : "A lamp that is nothing but a lamp in a house",
      }));
      await store.insertAll(
        ticket,
        others.map((one) => ({ ...example, ...one })),
        () => "",
      );
      const { rows, next } = await store.list(ticket, { limit: 3, search: "lamp", sort: ["relevance"] });
      expect([rows[0]?.id, rows.length, next]).toEqual([502, 3, null]);
      expect(await ids({ search: "lamp", sort: ["relevance"], filters: { state: { exact: ["closed"] } } })).toEqual([]);
    });

    test("counts", async () => {
      await insert({ title: "Door" }, { title: "Door", state: "closed" }, { title: "Roof" });
      const count = async (listing: Partial<Listing>) => (await store.list(ticket, { limit: 1, count: true, ...listing })).count;
      expect(await count({ search: "door" })).toEqual({ value: 2, isExact: true });
      expect(await count({ search: "door", sort: ["relevance"], filters: { state: { exact: ["open"] } } })).toEqual({
        value: 1,
        isExact: true,
      });
    });
  });

  // In the fast suite, tests/postgres-slots.test.ts does the like on PostgreSQL.
  function declaredLater(): void {
    describe("a search and an index that are declared later", () => {
      const many = 21_000;
      beforeEach(async () => {
        await reopen([plain]);
        const tickets = Array.from({ length: many }, (_, index) => ({
          ...example,
          title: `Door ${index + 1}`,
          tags: index % 2 ? ["red"] : [],
        }));
        await store.insertAll(plain, tickets, () => "");
        await store.remove(plain, 7);
        await store.close();
      });
      const openWith = (onBuilt: (what: string, records: number) => void) => open([ticket], { onBuilt });

      test("have the records from before, with progress; dropped and declared again, they have what changed meanwhile", async () => {
        const told = new Map<string, number[]>();
        await openWith((what, records) => told.set(what, [...(told.get(what) ?? []), records]));
        for (const what of ['The index "tags" of "ticket"', 'The index "votes" of "ticket"', 'The search of "ticket"']) {
          const records = told.get(what) ?? [];
          expect([what, records.includes(20_000), records]).toEqual([what, true, [...new Set(records)].sort((a, b) => a - b)]);
          expect(Math.max(...records)).toBeLessThanOrEqual(many);
        }
        expect([await ids({ search: "7" }), await ids({ search: String(many) })]).toEqual([[], [many]]);
        const red = await store.list(ticket, {
          limit: 1,
          count: true,
          filters: { tags: { contains: ["red"] }, state: { exact: ["open"] } },
        });
        expect(red.count).toEqual({ value: 10_000, isExact: false });

        await reopen([plain]);
        await store.update(plain, 1, (current) => ({ ...current, title: "Window" }));
        await reopen([ticket]);
        expect([await ids({ search: "window" }), (await ids({ search: "door" })).length]).toEqual([[1], 100]);
      });

      test("go on after an interruption", async () => {
        const stopAt = (title: string) => (what: string) => {
          if (what === title) throw new Error("stop");
        };
        for (const title of ['The index "tags" of "ticket"', 'The search of "ticket"'])
          await expect(openWith(stopAt(title))).rejects.toThrow("stop");
        const told: number[] = [];
        await openWith((what, records) => what === 'The search of "ticket"' && told.push(records));
        // The first half is there.
        expect(told[0] ?? many).toBeGreaterThanOrEqual(20_000);
        const red = await store.list(ticket, { limit: 1, count: true, filters: { tags: { contains: ["red"] } } });
        expect(red.count).toEqual({ value: 10_000, isExact: false });
        expect([await ids({ search: "1" }), await ids({ search: String(many) })]).toEqual([[1], [many]]);
      });
    });
  }
  if (isInFull) declaredLater();

  test("records that are converted to a new version are found by what they have then", async () => {
    const lists = { filters: { words: "contains" }, indexes: ["words"], search: ["title"] } as const;
    const fields = { title: Type.String(), words: Type.Array(Type.String()) };
    const first = defineResource({ name: "note", fields, example: { title: "a", words: [] }, ...lists });
    const past = [pastVersion({ fields, up: ({ title }) => ({ title: `${title} lamp`, words: ["new"] }) })];
    const second = defineResource({ name: "note", fields, example: { title: "a", words: [] }, past, ...lists });
    await reopen([first]);
    await store.insert(first, { title: "Red", words: ["old"] });
    await reopen([second]);
    expect([await ids({ search: "lamp" }, second), await ids({ search: "red" }, second)]).toEqual([[1], [1]]);
    const found = (word: string) => ids({ filters: { words: { contains: [word] } } }, second);
    expect([await found("new"), await found("old")]).toEqual([[1], []]);
  });
});
