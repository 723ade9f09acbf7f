// Every change and its event are one, and the log has them in the order of the commits.
import { describe, expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { forEachEngine } from "./support/engines";
import { relayTo } from "./support/leader";
import { loggedEvents } from "./support/logged-events";
import { catalogue, order } from "./support/resources";
import { useStore } from "./support/use-store";

const fields = { name: "x", description: null, price: null };

forEachEngine((placesIn) => {
  const { open, places, reopen, store } = useStore(placesIn, catalogue.resources);

  const events = () => loggedEvents(store);

  describe("a change", () => {
    test("gives the bytes that it stored: the same in the row, in the event and in the answer", async () => {
      const stored = await store.insert(item, { name: 'Käse "🧀"', description: '\n\u2028 "quoted"', price: 0.1 });
      expect(await store.get(item, 1)).toEqual(stored);
      const [entry] = await store.log.read(0, 1);
      expect(entry?.body).toContain(`"item":${stored.json},`);
      expect(Object.keys(JSON.parse(stored.json))).toEqual(["id", "name", "description", "price", "version", "createdAt", "updatedAt"]);
    });

    test("stores what the resource knows, and nothing else", async () => {
      const { json } = await store.insert(item, { ...fields, id: 99, colour: "red" } as typeof fields);
      expect(JSON.parse(json)).toEqual({ id: 1, ...fields, version: 1, createdAt: expect.any(String), updatedAt: expect.any(String) });
    });

    test("of a record that is not there is undefined, and no event", async () => {
      expect([await store.update(item, 9, () => fields), await store.remove(item, 9), await store.get(item, 9)]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(await store.log.end()).toBe(0);
    });

    test("notifies listeners once per commit, and only if the commit has an event; several processes may notify more often", async () => {
      let told = 0;
      const stop = store.onAppend(() => {
        told += 1;
      });
      const isExact = places().database.engine === "sqlite";
      const expectOnce = () => (isExact ? expect(told).toBe(1) : expect(told).toBeGreaterThanOrEqual(1));
      await Promise.all([store.insert(item, fields), store.insert(item, fields), store.insert(order, order.example)]);
      expectOnce();
      await relayTo(store, 1);
      await store.remove(item, 99);
      await store.check();
      expectOnce();
      stop();
      told = 1;
      await store.insert(item, fields);
      expect(told).toBe(1);
    });

    test("an id is never used again, not even the last one, not even after a restart", async () => {
      for (const expected of [1, 2, 3]) {
        const { id } = await store.insert(item, fields);
        expect(id).toBe(expected);
        await store.remove(item, id);
      }
      await reopen();
      expect((await store.insert(item, fields)).id).toBe(4);
      expect((await store.insert(order, order.example)).id).toBe(1);
      // Also if nothing of the record is left after its commit but its events.
      await Promise.all([store.insert(item, fields), store.remove(item, 5)]);
      expect((await store.insert(item, fields)).id).toBe(6);
    });

    test("under way when the store is closed is committed", async () => {
      const under = store.insert(item, fields);
      await store.close();
      expect((await under).id).toBe(1);
      await open();
      expect([await store.get(item, 1), await store.log.end()]).toEqual([await under, 1]);
    });

    test("what the change of an update throws comes back as it is, and changes nothing; nor does it sink its neighbours", async () => {
      await store.insert(item, fields);
      const refusal = new RangeError("not like this");
      const [refused, updated, inserted] = await Promise.allSettled([
        store.update(item, 1, () => {
          throw refusal;
        }),
        store.update(item, 1, (current) => ({ ...current, price: 2 })),
        store.insert(item, fields),
      ]);
      expect(refused).toEqual({ status: "rejected", reason: refusal });
      expect([updated, inserted]).toMatchObject([{ value: { version: 2 } }, { value: { id: 2 } }]);
      expect((await events()).map(({ type }) => type)).toEqual(["item.created", "item.updated", "item.created"]);
    });
  });

  describe("the log", () => {
    test("is read in pages, in commit order", async () => {
      await Promise.all(Array.from({ length: 10 }, () => store.insert(item, fields)));
      const positions = async (after: number, limit: number) => (await store.log.read(after, limit)).map(({ position }) => position);
      expect([await positions(0, 3), await positions(3, 100), await positions(10, 5)]).toEqual([[1, 2, 3], [4, 5, 6, 7, 8, 9, 10], []]);
    });

    test("keeps the trace context", async () => {
      await store.insert(item, fields, { traceparent: "00-trace" });
      await store.insert(item, fields);
      expect((await store.log.read(0, 2)).map(({ traceparent }) => traceparent)).toEqual(["00-trace", null]);
    });
  });
});
