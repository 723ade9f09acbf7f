// Tests of changes that are made together and over several commits, for a store in which the items 1 to 10 have been created.
import { describe, expect, test } from "bun:test";
import { type Item, item } from "../../src/domain/item";
import { KeyReused } from "../../src/store/errors";
import type { Store } from "../../src/store/store";
import { loggedEvents } from "./logged-events";
import { order } from "./resources";

const fields = { name: "x", description: null, price: null };
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const dearer = (current: Item) => ({ ...current, price: (current.price ?? 0) + 1 });

/** Awaits a change from the start: one may fail before all have been asked for. */
const settled = async (change: Promise<unknown>) => (await Promise.allSettled([change]))[0];

/** @param refuseBad makes the database refuse events with the text "bad", quotes included. */
export function declareGroupChanges(store: () => Store, refuseBad: () => Promise<void>): void {
  const versions = async () =>
    (await loggedEvents(store())).map(({ type, item }) => `${type} ${(item as Item).id} ${(item as Item).version}`);

  describe("changes see those before them, committed or not", () => {
    test("of one record: none is lost, and each counts the version", async () => {
      // In many turns of the event loop, so that several groups are under way.
      const changes: Promise<unknown>[] = [];
      for (let turn = 0; turn < 50; turn += 1) {
        for (let n = 0; n < 8; n += 1) changes.push(store().update(item, 1, dearer));
        await new Promise(setImmediate);
      }
      await Promise.all(changes);
      const stored = await store().get(item, 1);
      expect([stored?.version, JSON.parse(stored?.json ?? "").price]).toEqual([401, 400]);
      const updates = (await versions()).filter((text) => text.startsWith("item.updated"));
      expect(updates).toEqual(many(400, (index) => `item.updated 1 ${index + 2}`));
    });

    test("a record that was made is there for the changes behind it", async () => {
      const [made, changed] = await Promise.all([
        store().insert(item, fields),
        store().update(item, 11, (current) => ({ ...current, price: 7 })),
        ...many(6, () => store().insert(item, fields)),
      ]);
      expect([made, changed]).toMatchObject([
        { id: 11, version: 1 },
        { id: 11, version: 2 },
      ]);
    });

    test("a record that was removed is gone for the changes behind it", async () => {
      const results = await Promise.all([
        store().update(item, 2, dearer),
        ...many(6, () => store().insert(order, order.example)),
        store().remove(item, 2),
        store().remove(item, 2),
        store().update(item, 2, dearer),
      ]);
      expect([results[0], ...results.slice(7)]).toMatchObject([{ version: 2 }, { version: 2 }, undefined, undefined]);
    });

    test("an id is used once, in order, over many groups", async () => {
      const created: Promise<{ id: number }>[] = [];
      for (let turn = 0; turn < 40; turn += 1) {
        for (let n = 0; n < 7; n += 1) created.push(store().insert(item, fields));
        await new Promise(setImmediate);
      }
      expect((await Promise.all(created)).map(({ id }) => id)).toEqual(many(280, (index) => 11 + index));
    });

    test("a guard sees the record as the change before it leaves it", async () => {
      const guard = ({ version }: { version: number }) => {
        if (version !== 1) throw new RangeError(`it is ${version}`);
      };
      const [first, second] = await Promise.allSettled([
        store().update(item, 3, dearer, { guard }),
        store().update(item, 3, dearer, { guard }),
        ...many(6, () => store().insert(item, fields)),
      ]);
      expect([first, second]).toMatchObject([{ value: { version: 2 } }, { reason: new RangeError("it is 2") }]);
    });

    test("one key is one change, however often it comes at once", async () => {
      const once = { key: "k", fingerprint: "f", part: 0 };
      const insert = (fingerprint: string) =>
        store().insertAll(item, [fields], ([created]) => String(created?.id), { once: { ...once, fingerprint } });
      const answers: Promise<string>[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        for (let n = 0; n < 6; n += 1) answers.push(insert("f"));
        await new Promise(setImmediate);
      }
      const other = insert("another").then(String, (error: unknown) => error);
      expect(new Set(await Promise.all(answers))).toEqual(new Set(["11"]));
      expect(await other).toBeInstanceOf(KeyReused);
      expect(await insert("f")).toBe("11");
    });
  });

  describe("one bad change", () => {
    test("does not sink its neighbours, nor those that stood on it", async () => {
      await refuseBad();
      const changes: Promise<PromiseSettledResult<unknown>>[] = [];
      for (let turn = 0; turn < 20; turn += 1) {
        for (let n = 0; n < 6; n += 1)
          changes.push(settled(store().insert(item, { ...fields, name: turn % 4 === 1 && n === 3 ? "bad" : `good ${turn}/${n}` })));
        changes.push(settled(store().update(item, 1, dearer)));
        await new Promise(setImmediate);
      }
      const results = await Promise.all(changes);
      expect(results.filter(({ status }) => status === "rejected").length).toBe(5);
      for (const each of results) if (each.status === "rejected") expect(String(each.reason)).toMatch(/refused/);
      const stored = await store().get(item, 1);
      expect([stored?.version, JSON.parse(stored?.json ?? "").price]).toEqual([21, 20]);
      const { rows } = await store().list(item, { limit: 1000 });
      expect([rows.length, (await loggedEvents(store())).length]).toEqual([10 + 115, 10 + 115 + 20]);
      expect(rows.map(({ id }) => id)).toEqual(many(125, (index) => index + 1));
    });

    test("that is refused fails alone", async () => {
      const refusal = new RangeError("not like this");
      const settled = await Promise.allSettled([
        ...many(6, () => store().insert(item, fields)),
        store().update(item, 1, () => {
          throw refusal;
        }),
        store().update(item, 1, dearer),
      ]);
      expect(settled.map(({ status }) => status)).toEqual<string[]>([...many(6, () => "fulfilled"), "rejected", "fulfilled"]);
      expect((settled[6] as PromiseRejectedResult).reason).toBe(refusal);
    });
  });
}
