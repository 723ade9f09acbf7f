// Transactions that find records by a unique key or by fields: what they found must still be so at the commit.
import { beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Conflict } from "warren/action";
import { defineResource, Nullable, oneOf } from "warren/resource";
import type { Transaction } from "../src/store/transaction/transaction";
import { forEachEngineInFull } from "./support/engines";
import { rejection } from "./support/rejection";
import { useStore } from "./support/use-store";

const member = defineResource({
  name: "member",
  fields: { email: Type.String(), team: Type.Integer(), room: Nullable(Type.Object({ floor: Type.Integer() })) },
  managed: {
    state: { schema: oneOf("in", "out"), initial: "in" },
    since: { schema: Type.String({ format: "date-time" }), initial: "2026-01-01T00:00:00Z" },
  },
  unique: [{ field: "email", ignoreCase: true }],
  filters: { team: "exact", state: "exact", "room.floor": "exact", email: "prefix", since: ["exact", "range"] },
  indexes: ["team", "room.floor", "since"],
  example: { email: "ada@example.com", team: 1, room: null },
});

forEachEngineInFull((placesIn) => {
  const { store } = useStore(placesIn, [member]);
  beforeEach(async () => {
    for (const [email, team] of [
      ["ada", 1],
      ["bob", 1],
      ["cyd", 2],
    ] as const)
      await store.insert(member, { email, team, room: { floor: team } });
  });

  const ids = (found: readonly { id: number }[]) => found.map(({ id }) => id);
  const byEmail = (tx: Transaction, email: string) => tx.findByKey(member, "email", { email });
  const one = (email: string, team: number) => ({ email, team, room: null });

  /** Runs a transaction that makes another change outside of it at its first try. Resolves with its result and number of tries. */
  async function meanwhile<T>(read: (tx: Transaction) => Promise<T>, change: () => Promise<unknown>): Promise<[T, number]> {
    let tries = 0;
    const ready = Promise.withResolvers<void>();
    const changed = ready.promise.then(change);
    const result = await store.transaction(async (tx) => {
      tries += 1;
      const found = await read(tx);
      ready.resolve();
      await changed;
      return found;
    });
    return [result, tries];
  }

  describe("by a unique key", () => {
    test("finds the record as the key compares, or nothing", async () => {
      const found = await store.transaction(async (tx) => [await byEmail(tx, "BOB"), await byEmail(tx, "eve")]);
      expect(found).toEqual([expect.objectContaining({ id: 2, email: "bob" }), undefined]);
    });

    test("sees the transaction's own changes", async () => {
      await store.transaction(async (tx) => {
        await tx.update(member, 1, { email: "eve" });
        const { id } = await tx.insert(member, one("ada", 1));
        await tx.remove(member, 2);
        expect([(await byEmail(tx, "eve"))?.id, (await byEmail(tx, "ada"))?.id, await byEmail(tx, "bob")]).toEqual([1, id, undefined]);
      });
    });

    test("runs again if another record has the value by then, or the record has changed", async () => {
      expect(
        await meanwhile(
          (tx) => byEmail(tx, "eve"),
          () => store.insert(member, one("eve", 1)),
        ),
      ).toEqual([expect.objectContaining({ id: 4 }), 2]);
      expect(
        await meanwhile(
          (tx) => byEmail(tx, "bob"),
          () => store.remove(member, 2),
        ),
      ).toEqual([undefined, 2]);
      expect(
        (
          await meanwhile(
            (tx) => byEmail(tx, "ada"),
            () => store.insert(member, one("fay", 1)),
          )
        )[1],
      ).toBe(1);
    });

    test("64 at once that create the value if it is not there: one does", async () => {
      const ensure = async (tx: Transaction) => (await byEmail(tx, "eve")) ?? tx.insert(member, one("eve", 1));
      const found = await Promise.all(Array.from({ length: 64 }, () => store.transaction(ensure)));
      expect([new Set(ids(found)).size, await store.log.end()]).toEqual([1, 4]);
    });

    test("swapping two values is not a conflict", async () => {
      await store.transaction(async (tx) => {
        await tx.update(member, 1, { email: "bob" });
        await tx.update(member, 2, { email: "ada" });
      });
      expect((await store.findByKey(member, "email", { email: "ada" }))?.id).toBe(2);
      const taken = store.transaction(async (tx) => {
        await tx.update(member, 3, { team: 9 });
        await tx.update(member, 3, { email: "ADA" });
      });
      expect(await rejection(taken)).toBeInstanceOf(Conflict);
      expect(JSON.parse((await store.get(member, 3))?.json ?? "")).toMatchObject({ team: 2, version: 1 });
    });

    test("a key that does not exist is an error", async () => {
      expect((await rejection(store.transaction((tx) => tx.findByKey(member, "mail", {})))).message).toBe(
        'The resource "member" has no unique key "mail".',
      );
    });
  });

  describe("by fields", () => {
    test("lists the records that have all the values, by id; also nested ones, and null", async () => {
      await store.insert(member, one("eve", 1));
      const found = await store.transaction(async (tx) => [
        ids(await tx.list(member, { team: 1 })),
        ids(await tx.list(member, { team: 1, state: "out" })),
        ids(await tx.list(member, { "room.floor": 2 })),
        ids(await tx.list(member, { "room.floor": null, team: 1 })),
        ids(await tx.list(member, { team: 7 })),
      ]);
      expect(found).toEqual([[1, 2, 4], [], [3], [4], []]);
    });

    test("sees the transaction's own changes", async () => {
      const found = await store.transaction(async (tx) => {
        const before = ids(await tx.list(member, { team: 1 }));
        await tx.update(member, 1, { team: 2 });
        const { id } = await tx.insert(member, one("eve", 1));
        const between = ids(await tx.list(member, { team: 1 }));
        await tx.remove(member, 2);
        await tx.remove(member, id);
        await tx.update(member, 3, { team: 1 });
        return [before, between, ids(await tx.list(member, { team: 1 })), ids(await tx.list(member, { team: 2 }))];
      });
      expect(found).toEqual([[1, 2], [1, 2].slice(1).concat(4), [3], [1]]);
    });

    test("sees changes that are not on disk yet, and not those that failed", async () => {
      const inserted = store.insert(member, one("eve", 1));
      const refused = store.insert(member, one("ada", 1)).catch(() => {});
      // The changes have run, but are not committed.
      await new Promise(setImmediate);
      const found = await store.transaction((tx) => tx.list(member, { team: 1 }));
      await Promise.all([inserted, refused]);
      expect(ids(found)).toEqual([1, 2, 4]);
    });

    test.each([
      ["a record comes in", () => store.insert(member, one("eve", 1)), [1, 2, 4]],
      ["a record leaves", () => store.update(member, 1, (now) => ({ ...now, team: 2 })), [2]],
      ["a record is deleted", () => store.remove(member, 2), [1]],
      ["a record in it changes", () => store.update(member, 1, (now) => ({ ...now, email: "eve" })), [1, 2]],
    ] as const)("runs again if %s", async (_, change, now) => {
      const [found, tries] = await meanwhile((tx) => tx.list(member, { team: 1 }), change);
      expect([ids(found), tries]).toEqual([[...now], 2]);
    });

    test("does not run again for records that it does not list", async () => {
      expect(
        (
          await meanwhile(
            (tx) => tx.list(member, { team: 1 }),
            () => store.insert(member, one("eve", 2)),
          )
        )[1],
      ).toBe(1);
    });

    test("64 at once that take the next free place: none is taken twice", async () => {
      const join = (email: string) => async (tx: Transaction) => {
        const size = (await tx.list(member, { team: 5 })).length;
        if (size === 10) throw new Conflict("The team is full.");
        return tx.insert(member, one(email, 5));
      };
      const results = await Promise.allSettled(Array.from({ length: 64 }, (_, n) => store.transaction(join(`m${n}`))));
      const refused = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
      expect([refused.length, new Set(refused)]).toEqual([54, new Set(["The team is full."])]);
    });

    test("more than 1,000 records are a conflict", async () => {
      const many = (from: number, count: number) => Array.from({ length: count }, (_, n) => one(`m${from + n}`, 6));
      await store.insertAll(member, many(0, 1000), () => "");
      const list = () => store.transaction((tx) => tx.list(member, { team: 6 }));
      expect((await list()).length).toBe(1000);
      await store.insert(member, one("last", 6));
      const error = await rejection(list());
      expect([error.constructor, error.message]).toEqual([
        Conflict,
        "A transaction can list at most 1000 members, and more match. Nothing was changed.",
      ]);
    });

    test.each([
      [{ state: "in" }, "fields without an index; name one of them in `indexes`"],
      [{}, "fields without an index; name one of them in `indexes`"],
      [{ team: 1, email: "a" }, '"email", which does not have the filter "exact"'],
      [{ since: "2026-01-01T00:00:00Z" }, 'the time "since"'],
    ])("%j cannot be listed by, and the error says why", async (where, why) => {
      const error = await rejection(store.transaction((tx) => tx.list(member, where as { team: number })));
      expect([error.constructor, error.message]).toEqual([TypeError, `A transaction cannot list "member" by ${why}.`]);
    });
  });
});
