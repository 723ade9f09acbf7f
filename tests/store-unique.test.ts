// Unique keys, decided in the commit: for every way to write a record, and for changes that share one.
import { describe, expect, test } from "bun:test";
import { type Static, type TProperties, Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable } from "warren/resource";
import { Conflict } from "../src/schema/refused-change";
import type { InsertOutcome } from "../src/store/store";
import { forEachEngineInFull } from "./support/engines";
import { rejection } from "./support/rejection";
import { useStore } from "./support/use-store";

const fields = {
  email: Nullable(Type.String()),
  badge: Nullable(Type.Union([Type.Integer(), Type.String(), Type.Boolean()])),
  team: Nullable(Type.Integer()),
  address: Nullable(Type.Object({ city: Type.String(), door: Nullable(Type.Integer()) })),
};
type Member = Static<ReturnType<typeof Type.Object<typeof fields>>>;
const nobody: Member = { email: null, badge: null, team: null, address: null };
const members = <const Keys extends Parameters<typeof defineResource<"member", typeof fields>>[0]["unique"]>(unique: Keys) =>
  defineResource({ name: "member", fields, ...(unique && { unique }), example: nobody });
const member = members([{ field: "email", ignoreCase: true }, "badge", ["team", "address.city"]]);

const of = (some: Partial<Member>): Member => ({ ...nobody, ...some });
const textOf = (outcomes: readonly InsertOutcome[]) =>
  outcomes.map((outcome) => (outcome instanceof Error ? outcome.name : outcome.id)).join(" ");

forEachEngineInFull((placesIn, { times }) => {
  const { open, reopen, store } = useStore(placesIn, [member], { journalAtMost: 3 });
  const insert = (some: Partial<Member>) => store.insert(member, of(some));
  const set = (id: number, some: Partial<Member>) => store.update(member, id, (current) => ({ ...current, ...some }));
  const types = async () => (await store.log.read(0, 1000)).map(({ type, subject }) => `${type.split(".")[1]} ${subject}`);

  test("a value that another record has is refused, with the fields of the key and nothing of the other record", async () => {
    await insert({ email: "ada@example.com", team: 1, address: { city: "Bath", door: 1 } });
    const error = (await rejection(insert({ email: "ADA@example.com" }))) as Conflict;
    expect(error).toBeInstanceOf(Conflict);
    expect([error.summary, error.mistakes]).toEqual([
      "Another member has the same email.",
      [{ pointer: "/email", detail: "Must be unique." }],
    ]);
    const detail = "Must be unique together: team and address.city.";
    expect(await rejection(insert({ team: 1, address: { city: "Bath", door: 2 } }))).toMatchObject({
      summary: "Another member has the same team and address.city.",
      mistakes: [
        { pointer: "/team", detail },
        { pointer: "/address/city", detail },
      ],
    });
    await insert({ team: 2, address: { city: "Bath", door: 1 } });
    expect(await rejection(set(2, { team: 1 }))).toBeInstanceOf(Conflict);
    expect(await types()).toEqual(["created 1", "created 2"]);
  });

  test("null takes no place, at any depth", async () => {
    for (const some of [{}, {}, { team: 1 }, { team: 1 }, { address: { city: "Bath", door: null } }]) await insert(some);
    expect(await store.log.end()).toBe(5);
  });

  test("values of different types are different, and equal numbers are equal", async () => {
    for (const badge of [1, "1", true, "true", false, 0]) await insert({ badge });
    for (const badge of [1, "1", true, -0, 1.0]) expect(await rejection(insert({ badge }))).toBeInstanceOf(Conflict);
  });

  test.each([
    ["\u00e9", "e\u0301"],
    ["straße", "STRASSE"],
    ["STRAẞE", "strasse"],
    ["ﬁt", "FIT"],
    ["ınce", "INCE"],
    ["ΣΑΣ", "σας"],
  ])("without case, %s and %s are equal", async (one, other) => {
    await insert({ email: one });
    expect(await rejection(insert({ email: other }))).toBeInstanceOf(Conflict);
    expect(await store.findByKey(member, "email", { email: other })).toMatchObject({ id: 1 });
  });

  test("with case, texts are equal that have the same characters in Unicode", async () => {
    await insert({ badge: "\u00e9" });
    await insert({ badge: "\u00c9" });
    expect(await rejection(insert({ badge: "e\u0301" }))).toBeInstanceOf(Conflict);
    const long = "x".repeat(100_000);
    await insert({ badge: `${long}1` });
    await insert({ badge: `${long}2` });
    expect(await rejection(insert({ badge: `${long}1` }))).toBeInstanceOf(Conflict);
  });

  describe("of changes that share a commit", () => {
    test("only those that lose fail", async () => {
      const outcomes = await Promise.allSettled(["a", "b", "a", "c", "A"].map((email) => insert({ email })));
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "rejected"]);
      expect(await types()).toEqual(["created 1", "created 2", "created 3"]);
    });

    test("a value that is given up or deleted is free for the next; a failed change gives nothing up", async () => {
      await insert({ email: "a" });
      const outcomes = await Promise.allSettled([
        set(1, { email: "b" }),
        insert({ email: "a" }),
        store.remove(member, 1),
        insert({ email: "b" }),
        store.update(member, 2, (current) => ({ ...current, email: "b" })),
        insert({ email: "a" }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual([...Array(4).fill("fulfilled"), "rejected", "rejected"]);
      await reopen();
      expect(await store.findByKey(member, "email", { email: "a" })).toMatchObject({ id: 2 });
      expect(await store.findByKey(member, "email", { email: "b" })).toMatchObject({ id: 3 });
    });

    test("two changes that swap their values are both refused", async () => {
      await insert({ email: "a" });
      await insert({ email: "b" });
      const outcomes = await Promise.allSettled([set(1, { email: "b" }), set(2, { email: "a" })]);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    });

    test("a transaction swaps values, and takes over one that it frees; it is refused if a value is taken in the end", async () => {
      await insert({ email: "a" });
      await insert({ email: "b" });
      await store.transaction(async (tx) => {
        await tx.update(member, 1, { ...nobody, email: "b" });
        await tx.update(member, 2, { ...nobody, email: "a" });
      });
      expect(await store.findByKey(member, "email", { email: "a" })).toMatchObject({ id: 2 });
      await store.transaction(async (tx) => {
        await tx.insert(member, of({ email: "A" }));
        await tx.remove(member, 2);
        await tx.update(member, 1, { ...nobody, email: "c" });
        await tx.update(member, 1, { ...nobody, email: "b" });
      });
      const taken = store.transaction(async (tx) => {
        await tx.update(member, 1, { ...nobody, email: "a" });
      });
      expect(await rejection(taken)).toBeInstanceOf(Conflict);
      await reopen();
      const found = ["a", "b", "c"].map(async (email) => (await store.findByKey(member, "email", { email }))?.id);
      expect(await Promise.all(found)).toEqual([3, 1, undefined]);
    });

    test("all of insertAll is refused, and of insertEach only the loser", async () => {
      const same = [of({ email: "a" }), of({ email: "b" }), of({ email: "A" })];
      expect(await rejection(store.insertAll(member, same, () => ""))).toMatchObject({ mistakes: [{ pointer: "/2/email" }] });
      expect(await store.insertEach(member, same, textOf)).toBe("1 2 Conflict");
    });
  });

  test("a record keeps its own value, whatever else changes", async () => {
    await insert({ email: "a", badge: 7 });
    await set(1, { email: "A", team: 3 });
    expect(await rejection(insert({ email: "a" }))).toBeInstanceOf(Conflict);
    await set(1, { email: null });
    expect(await insert({ email: "a" })).toMatchObject({ id: 2 });
  });

  describe("findByKey", () => {
    test("finds as the key compares, and only what is committed", async () => {
      await insert({ email: "a", team: 1, address: { city: "Bath", door: null } });
      expect(await store.findByKey(member, "email", { email: "A" })).toMatchObject({ id: 1 });
      expect(await store.findByKey(member, "team,address.city", { team: 1, address: { city: "Bath", door: 9 } })).toMatchObject({ id: 1 });
      for (const email of ["b", null]) expect(await store.findByKey(member, "email", { email })).toBeUndefined();
      expect((await rejection(store.findByKey(member, "team", {}))).message).toBe('The resource "member" has no unique key "team".');
    });
  });

  describe("a key declared over stored records", () => {
    const plain = members([]);

    test("holds for them", async () => {
      await reopen([plain]);
      await Promise.all(Array.from({ length: 2500 }, (_, index) => store.insert(plain, of({ email: `member ${index + 1}` }))));
      await reopen();
      expect(await rejection(insert({ email: "Member 2500" }))).toBeInstanceOf(Conflict);
      await store.remove(member, 1234);
      expect(await insert({ email: "Member 1234" })).toMatchObject({ id: 2501 });
    });

    test("that are equal refuses the start, naming some, and says what to do; the records can then be changed without it", async () => {
      await reopen([plain]);
      const emails = ["a", "b", "A", "c", "B", "a"];
      await Promise.all(emails.map((email) => store.insert(plain, of({ email, badge: email === "c" ? 1 : null }))));
      await store.close();
      const { message } = await rejection(open());
      expect(message).toBe(
        [
          'The unique key "email" of "member" does not hold for stored records:',
          "  member 1 and member 3 are equal",
          "  member 1 and member 6 are equal",
          "  member 2 and member 5 are equal",
          "Start the service without this unique key, change or delete these records, and declare it again. Texts that differ only in the form of their Unicode characters are equal.",
        ].join("\n"),
      );
      await open([plain]);
      for (const id of [3, 5, 6]) await store.remove(plain, id);
      await reopen();
      expect(await rejection(insert({ email: "C" }))).toBeInstanceOf(Conflict);
    });

    test("with many that are equal names five of each key", async () => {
      await reopen([plain]);
      await Promise.all(Array.from({ length: 20 }, () => store.insert(plain, of({ email: "a", badge: 1 }))));
      await store.close();
      const lines = (await rejection(open())).message.split("\n");
      expect(lines.filter((line) => line.startsWith("  member"))).toHaveLength(10);
      expect(lines).toContain("  and possibly more");
      await open([plain]);
    });

    test("a key declared again, or compared in another way, is checked again", async () => {
      await insert({ email: "a" });
      await reopen([plain]);
      await store.insert(plain, of({ email: "b" }));
      await store.remove(plain, 1);
      await reopen([members(["email"])]);
      expect(await insert({ email: "B" })).toMatchObject({ id: 3 });
      await store.close();
      expect((await rejection(open())).message).toContain("member 2 and member 3 are equal");
      await open([plain]);
    });
  });

  test("whatever changes are made together, no two records ever have the same value, and every value that is free can be taken", async () => {
    const email = fc.constantFrom("a", "A", "b", "c", null);
    const id = fc.integer({ min: 1, max: 6 });
    const change = fc.oneof(
      fc.record({ what: fc.constant("insert" as const), email }),
      fc.record({ what: fc.constant("update" as const), id, email }),
      fc.record({ what: fc.constant("remove" as const), id }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 6 }), async (groups) => {
        await using _ = { [Symbol.asyncDispose]: async () => reopen() };
        for (const record of (await store.list(member, { limit: 200 })).rows) await store.remove(member, record.id);
        const model = new Map<number, string | null>();
        const first = JSON.parse((await insert({})).json).id as number;
        model.set(first, null);
        let next = first;
        for (const group of groups) {
          const outcomes: [Promise<unknown>, boolean][] = group.map((each) => {
            const key = "email" in each ? (each.email?.toLowerCase() ?? null) : null;
            const isTaken = (but?: number) => key !== null && [...model].some(([other, has]) => has === key && other !== but);
            if (each.what === "insert") {
              if (isTaken()) return [insert({ email: each.email }), false];
              next += 1;
              model.set(next, key);
              return [insert({ email: each.email }), true];
            }
            const at = first + each.id - 1;
            if (each.what === "remove") {
              model.delete(at);
              return [store.remove(member, at), true];
            }
            const isFree = !model.has(at) || !isTaken(at);
            if (isFree && model.has(at)) model.set(at, key);
            return [set(at, { email: each.email }), isFree];
          });
          const settled = await Promise.allSettled(outcomes.map(([promise]) => promise));
          expect(settled.map(({ status }) => status === "fulfilled")).toEqual(outcomes.map(([, succeeds]) => succeeds));
        }
        const found = (await store.list(member, { limit: 200 })).rows.map(({ id, json }) => [
          id,
          JSON.parse(json).email?.toLowerCase() ?? null,
        ]);
        expect(new Map(found as [number, string | null][])).toEqual(model);
      }),
      { numRuns: times(30) },
    );
  });
});

describe("a declaration is refused", () => {
  const define =
    (unique: unknown, own: TProperties = fields) =>
    () =>
      defineResource({ name: "member", fields: own, unique: unique as never, example: nobody as never });
  test.each<[string, unknown, string]>([
    ["that names no field", ["emial"], 'the unique key "emial" does not name a field'],
    ["with an empty list", [[]], "a unique key names no field"],
    ["of an object", ["address"], 'the field "address" cannot be unique'],
    ["inside an array", ["tags[]"], "leads into an array"],
    ["with a field twice", [["email", "email"]], 'the unique key "email,email" is declared twice'],
    ["that is there twice", ["email", { field: "email", ignoreCase: true }], 'the unique key "email" is declared twice'],
    ["without case, of a number", [{ field: "team", ignoreCase: true }], "but no text; leave it out"],
  ])("%s", (_what, unique, message) => {
    expect(define(unique, { ...fields, tags: Type.Array(Type.String(), { default: [] }) })).toThrow(message);
  });
});
