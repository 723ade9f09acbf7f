// Filters by references and unique values, which have an index by themselves.
import { beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, type Resource } from "warren/resource";
import type { Condition, Listing } from "../src/store/listing";
import { forEachEngineInFull } from "./support/engines";
import { useStore } from "./support/use-store";

const club = defineResource({ name: "club", fields: { name: Type.String() }, example: { name: "Chess" } });
const member = defineResource({
  name: "member",
  fields: {
    email: Nullable(Type.String()),
    card: Type.Object({ number: Nullable(Type.Integer()) }),
    club: Nullable(Type.Integer()),
    note: Type.String(),
  },
  unique: [{ field: "email", ignoreCase: true }, "card.number"],
  references: { club: { to: "club" } },
  filters: { email: "exact", "card.number": "exact", club: "exact", note: "exact" },
  example: { email: null, card: { number: null }, club: null, note: "" },
});

// With few changes, most are in the tables; with many, none is yet.
describe.each([100, 1_000_000])("merged after %i changes", (journalAtMost) =>
  forEachEngineInFull((placesIn) => {
    const { store } = useStore(placesIn, [club, member], { journalAtMost });
    beforeEach(async () => {
      await store.insertAll(club, [{ name: "Chess" }, { name: "Go" }], () => "");
    });

    const ids = async (filters: Record<string, Condition>, more: Partial<Listing> = {}) => {
      const { rows, next, count } = await store.list(member as Resource, { limit: 200, filters, ...more });
      return { ids: rows.map(({ id }) => id), isLast: next === null, ...(count && { count }) };
    };
    const members = (count: number, change: (index: number) => Partial<typeof member.example> = () => ({})) =>
      store.insertAll(
        member,
        Array.from({ length: count }, (_, index) => ({ ...member.example, ...change(index) })),
        () => "",
      );

    test("a value is found on the first page among many, exactly as it is written", async () => {
      await members(3000, (index) => ({ email: `M${index}@example.com`, card: { number: index } }));
      expect(await ids({ email: { exact: ["M2500@example.com"] } })).toEqual({ ids: [2501], isLast: true });
      expect(await ids({ email: { exact: ["m2500@example.com"] } })).toEqual({ ids: [], isLast: true });
      expect(await ids({ email: { exact: ["M2500@example.com", "M1@example.com", "none"] } }, { sort: ["-createdAt"] })).toEqual({
        ids: [2501, 2],
        isLast: true,
      });
      expect(await ids({ "card.number": { exact: [2999] } })).toEqual({ ids: [3000], isLast: true });
      await store.update(member, 3000, (current) => ({ ...current, card: { number: 9999 } }));
      expect(await ids({ "card.number": { exact: [2999, 9999] } }, { count: true })).toEqual({
        ids: [3000],
        isLast: true,
        count: { value: 1, isExact: true },
      });
    });

    test("the records that refer to one have full pages, however many there are", async () => {
      await members(6000, (index) => ({ club: index % 3 ? 1 : 2, note: index === 5001 ? "rare" : "" }));
      const first = await ids({ club: { exact: [2] } }, { sort: ["-id"], count: true });
      expect(first).toEqual({
        ids: Array.from({ length: 200 }, (_, index) => 5998 - 3 * index),
        isLast: false,
        count: { value: 2000, isExact: true },
      });
      expect((await ids({ club: { exact: [1, 2] } })).ids).toHaveLength(200);
      expect((await ids({ club: { exact: [null] } })).ids).toEqual([]);
      await store.remove(member, 5998);
      expect((await ids({ club: { exact: [2] } }, { sort: ["-id"], limit: 1 })).ids).toEqual([5995]);
    });

    test("null is in no such table, and is found among the records", async () => {
      await members(3, (index) => ({ club: index === 1 ? 1 : null, email: index === 1 ? null : `m${index}` }));
      expect((await ids({ club: { exact: [null] } })).ids).toEqual([1, 3]);
      expect((await ids({ club: { exact: [null, 1] } })).ids).toEqual([1, 2, 3]);
      expect((await ids({ email: { exact: [null, "m2"] } })).ids).toEqual([2, 3]);
    });
  }),
);
