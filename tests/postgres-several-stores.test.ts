// Several processes that change the same records at once: here, several stores in this process on one schema.
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";
import type { RecordOf } from "../src/schema/resource";
import { RecordNotFound } from "../src/store/errors";
import type { Store } from "../src/store/store";
import { testInFull } from "./support/in-full";
import { describeWithPostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { useStores } from "./support/use-stores";

const shelf = defineResource({
  name: "shelf",
  plural: "shelves",
  fields: { label: Nullable(Type.String()), count: Type.Integer({ default: 0 }) },
  unique: ["label"],
  example: { label: null, count: 0 },
});
const book = defineResource({
  name: "book",
  filters: { shelf: "exact" },
  fields: { shelf: Nullable(Type.Integer()), note: Nullable(Type.Integer()) },
  references: { shelf: { to: "shelf", onDelete: "cascade" } },
  example: { shelf: null, note: null },
});
const loan = defineResource({
  name: "loan",
  fields: { shelf: Type.Integer() },
  references: { shelf: { to: "shelf", onDelete: "restrict" } },
  example: { shelf: 1 },
});
const resources = [shelf, book, loan];

const fieldsOf = (fields: { readonly label?: string; readonly count?: number }) => ({ label: null, count: 0, ...fields });
const addShelf = (store: Store, fields: Parameters<typeof fieldsOf>[0] = {}) => store.insert(shelf, fieldsOf(fields));
const addBook = (store: Store, id: number) => store.insert(book, { shelf: id, note: null });

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describeWithPostgres("several stores on one schema", () => {
  const { stores, schema } = useStores(3, resources);
  const [a, b] = stores as [Store, Store];
  const stateOf = async (store: Store, id: number) => {
    const stored = await store.get(shelf, id);
    return stored && (JSON.parse(stored.json) as RecordOf<typeof shelf>);
  };
  const bump = (store: Store, id: number) => store.update(shelf, id, (current) => ({ ...current, count: current.count + 1 }));
  /** The versions in the events of a record, in the order of the log. */
  const versionsOf = async (id: number) => {
    const entries = await a.log.read(0, 10_000);
    return entries
      .filter(({ type, subject }) => type.startsWith("shelf.") && subject === id)
      .map(({ body }) => JSON.parse(body).shelf.version);
  };

  test("no change of a record that all of them change is lost or made twice", async () => {
    const { id } = await addShelf(a);
    await Promise.all(stores.flatMap((store) => times(100).map(() => bump(store, id))));
    expect(await stateOf(b, id)).toMatchObject({ count: 300, version: 301 });
    expect(await versionsOf(id)).toEqual(times(301).map((version) => version + 1));
  });

  testInFull("changes that come one after the other in each store, too", async () => {
    const { id } = await addShelf(a);
    const others = await Promise.all(times(5).map(() => addShelf(a)));
    await Promise.all(
      stores.map(async (store, which) => {
        for (const round of times(30)) {
          await Promise.all([bump(store, id), bump(store, others[(which + round) % 5]?.id as number)]);
        }
      }),
    );
    expect(await stateOf(a, id)).toMatchObject({ count: 90, version: 91 });
    const sums = await Promise.all(others.map(async (other) => (await stateOf(a, other.id))?.count ?? 0));
    expect(sums.reduce((sum, each) => sum + each, 0)).toBe(90);
    expect(await versionsOf(id)).toEqual(times(91).map((version) => version + 1));
  });

  test("the same idempotency key makes one change, and each gets its answer", async () => {
    for (const round of times(10)) {
      const once = { key: `key ${round}`, fingerprint: "same", part: 0 };
      const made = await Promise.all(
        stores.flatMap((store) => times(5).map(() => store.insert(shelf, fieldsOf({ count: round }), { once }))),
      );
      expect(new Set(made.map(({ json }) => json)).size).toBe(1);
    }
    expect(await a.log.end()).toBe(10);
  });

  test("a unique value is taken once", async () => {
    for (const round of times(10)) {
      const label = `label ${round}`;
      const outcomes = await Promise.allSettled(stores.map((store) => addShelf(store, { label })));
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
      for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason.name).toBe("Conflict");
      expect(JSON.parse((await b.findByKey(shelf, "label", { label }))?.json ?? "{}")).toMatchObject({ label });
    }
  });

  testInFull("a value that one store frees is free in the others", async () => {
    for (const round of times(10)) {
      const { id } = await addShelf(a, { label: "wanted" });
      const [, taken] = await Promise.allSettled([a.remove(shelf, id), addShelf(b, { label: "wanted" })]);
      const holder = await a.findByKey(shelf, "label", { label: "wanted" });
      expect(holder?.id).toBe(taken.status === "fulfilled" ? taken.value.id : undefined);
      if (holder) await b.remove(shelf, holder.id);
      expect(round).toBeNumber();
    }
  });

  testInFull("two records swap a unique value while others want it", async () => {
    const [first, second] = [await addShelf(a, { label: "one" }), await addShelf(a, { label: "two" })];
    const swap = (store: Store) =>
      store.transaction(async (tx) => {
        const [x, y] = [await tx.read(shelf, first.id), await tx.read(shelf, second.id)];
        await tx.update(shelf, x.id, { label: y.label });
        await tx.update(shelf, y.id, { label: x.label });
      });
    const grab = (store: Store) => rejection(addShelf(store, { label: "one" }));
    const outcomes = await Promise.all(stores.flatMap((store) => [swap(store), swap(store), grab(store)]));
    for (const outcome of outcomes) if (outcome) expect(outcome.name).toBe("Conflict");
    const labels = await Promise.all([first, second].map(async ({ id }) => (await stateOf(a, id))?.label));
    expect(labels).toEqual(["one", "two"]);
    expect((await a.findByKey(shelf, "label", { label: "one" }))?.id).toBe(first.id);
  });

  testInFull("transactions on the same records keep their sum", async () => {
    const ids = (await Promise.all(times(4).map(() => addShelf(a, { count: 100 })))).map(({ id }) => id);
    const move = (store: Store, from: number, to: number) =>
      store.transaction(async (tx) => {
        const giver = await tx.update(shelf, from, ({ count }) => ({ count: count - 1 }));
        const taker = await tx.update(shelf, to, ({ count }) => ({ count: count + 1 }));
        return giver.count + taker.count;
      });
    const moves = stores.flatMap((store, which) =>
      times(12).map((round) => move(store, ids[(which + round) % 4] as number, ids[(which + 2 * round + 1) % 4] as number)),
    );
    const outcomes = await Promise.allSettled(moves);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason.name).toBe("TransactionGaveUp");
    const counts = await Promise.all(ids.map(async (id) => (await stateOf(b, id))?.count ?? 0));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
  });

  testInFull("a transaction that lists records sees those that others add, or they see it", async () => {
    const { id } = await addShelf(a);
    /** Adds a book to the shelf if there are fewer than three. */
    const add = (store: Store) =>
      store.transaction(async (tx) => {
        const books = await tx.list(book, { shelf: id });
        if (books.length >= 3) return "full";
        await tx.insert(book, { shelf: id, note: null });
        return "added";
      });
    const outcomes = await Promise.allSettled(stores.flatMap((store) => times(4).map(() => add(store))));
    const results = outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : (outcome.reason as Error).name));
    expect(results.filter((result) => result === "added")).toHaveLength(3);
    for (const result of results) expect(["added", "full", "TransactionGaveUp"]).toContain(result);
  });

  testInFull("a record is not deleted while another one begins to refer to it", async () => {
    for (const round of times(15)) {
      const { id } = await addShelf(a, { count: round });
      const [removed, lent] = await Promise.allSettled([a.remove(shelf, id), b.insert(loan, { shelf: id })]);
      const outcome = [removed, lent].map(({ status }) => status).join();
      expect(["fulfilled,rejected", "rejected,fulfilled"]).toContain(outcome);
      expect(await a.get(shelf, id)).toEqual(removed.status === "fulfilled" ? undefined : expect.anything());
      if (removed.status === "rejected") expect(removed.reason.name).toBe("Conflict");
      if (lent.status === "rejected") expect(lent.reason.name).toBe("InvalidRecord");
    }
  });

  testInFull("a deletion takes all records with it that refer to it by then", async () => {
    for (const round of times(15)) {
      const { id } = await addShelf(a, { count: round });
      await Promise.all(times(3).map(() => addBook(b, id)));
      const added = stores.map((store) => addBook(store, id));
      await Promise.allSettled([a.remove(shelf, id), ...added]);
      expect(await a.get(shelf, id)).toBeUndefined();
    }
    const rows = await schema().evaluate<{ json: string }>('SELECT json FROM "books"');
    expect(rows).toEqual([]);
  });

  testInFull("a record that two delete is deleted once", async () => {
    for (const round of times(10)) {
      const { id } = await addShelf(a, { count: round });
      const removed = await Promise.all(stores.map((store) => store.remove(shelf, id)));
      expect(removed.filter((last) => last !== undefined)).toHaveLength(1);
      const restored = await Promise.allSettled(stores.map((store) => store.restore(shelf, id)));
      expect(restored.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await stateOf(b, id)).toMatchObject({ version: 2 });
    }
  });

  testInFull("an imported id is never given to a new record, by whichever store", async () => {
    // Each store has drawn its own ids: 1 to 100, 101 to 200, 201 to 300.
    const drawn = await Promise.all(stores.map((store) => addShelf(store)));
    expect(drawn.map(({ id }) => id).sort((x, y) => x - y)).toEqual([1, 101, 201]);
    const [imported] = await a.importEach(shelf, [{ id: 250, fields: fieldsOf({}) }]);
    expect(imported).toMatchObject({ id: 250 });
    await a.remove(shelf, 250);
    const ids = (await Promise.all(stores.flatMap((store) => times(120).map(() => addShelf(store))))).map(({ id }) => id);
    expect(new Set([250, ...drawn.map(({ id }) => id), ...ids]).size).toBe(364);
  });

  test("a change that the database refuses fails alone", async () => {
    const poisoned = { requestId: "a\u0000b" };
    const outcomes = await Promise.allSettled(
      times(20).map((index) => a.insert(shelf, fieldsOf({ count: index }), index === 7 ? poisoned : { requestId: "fine" })),
    );
    expect(outcomes.flatMap(({ status }, index) => (status === "rejected" ? index : []))).toEqual([7]);
    expect(await a.log.end()).toBe(19);
    expect(await addShelf(a)).toMatchObject({ version: 1 });
  });

  testInFull("what one refuses because of what it read is refused because of what is there", async () => {
    const { id } = await addShelf(a, { count: 1 });
    const guard = ({ version }: { version: number }) => {
      if (version !== 1) throw new RecordNotFound("shelf", version);
    };
    const outcomes = await Promise.allSettled(
      stores.map((store) => store.update(shelf, id, (current) => ({ ...current, count: 2 }), { guard })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await versionsOf(id)).toEqual([1, 2]);
  });
});
