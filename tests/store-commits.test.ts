// What is committed together: a change and its event, and changes that arrive at the same time; and what a read sees of it.
import { beforeEach, describe, expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { forEachEngine } from "./support/engines";
import { declareGroupChanges } from "./support/group-changes";
import { loggedEvents } from "./support/logged-events";
import { refuseRows } from "./support/refuse-rows";
import { catalogue } from "./support/resources";
import { useStore } from "./support/use-store";

const fields = { name: "x", description: null, price: null };
const named = (name: string) => ({ ...fields, name });

forEachEngine((placesIn) => {
  const { places, store } = useStore(placesIn, catalogue.resources);

  describe("invariant 1: the item and its event are one transaction", () => {
    const refuse = (table: string, operation: "INSERT" | "UPDATE", column: string) => refuseRows(places(), table, operation, column);
    const state = async () => [
      (await store.list(item, { limit: 100 })).rows.map(({ json }) => (JSON.parse(json) as { name: string }).name),
      (await loggedEvents(store)).map(({ type }) => type),
    ];

    test.each<[string, string, "INSERT" | "UPDATE", string]>([
      ["the event", "events", "INSERT", "body"],
      ["the item", "items", "INSERT", "json"],
    ])("when %s cannot be written, there is neither", async (_, table, operation, column) => {
      await refuse(table, operation, column);
      await expect(store.insert(item, { ...fields, name: "bad" })).rejects.toThrow("refused");
      expect(await state()).toEqual([[], []]);
    });

    test.each<[string, string, "INSERT" | "UPDATE", string]>([
      ["the event", "events", "INSERT", "body"],
      ["the item", "items", "UPDATE", "json"],
    ])("when %s of an update cannot be written, the item is as it was", async (_, table, operation, column) => {
      await store.insert(item, fields);
      await refuse(table, operation, column);
      await expect(store.update(item, 1, () => ({ ...fields, name: "bad" }))).rejects.toThrow("refused");
      expect(await state()).toEqual([["x"], ["item.created"]]);
    });

    test("when the event of a deletion cannot be written, the item is still there", async () => {
      await store.insert(item, { ...fields, name: "bad" });
      await refuse("events", "INSERT", "body");
      await expect(store.remove(item, 1)).rejects.toThrow("refused");
      expect(await state()).toEqual([["bad"], ["item.created"]]);
    });

    test("one bad change does not sink its neighbours in the same commit", async () => {
      await refuse("events", "INSERT", "body");
      const outcomes = await Promise.allSettled(["a", "bad", "b"].map((name) => store.insert(item, { ...fields, name })));
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect(await state()).toEqual([
        ["a", "b"],
        ["item.created", "item.created"],
      ]);
      expect(await Promise.all([store.get(item, 1), store.get(item, 2)])).toMatchObject([
        { json: expect.stringContaining('"a"') },
        { json: expect.stringContaining('"b"') },
      ]);
    });
  });

  describe("many at once", () => {
    beforeEach(
      async () => void (await Promise.all(Array.from({ length: 10 }, (_, index) => store.insert(item, { ...fields, price: index })))),
    );

    declareGroupChanges(
      () => store,
      () => refuseRows(places(), "events", "INSERT", "body"),
    );
  });

  test("a read sees every change that was answered before", async () => {
    const { id } = await store.insert(item, named("first"));
    for (let n = 0; n < 50; n += 1) {
      expect(JSON.parse((await store.get(item, id))?.json ?? "")).toMatchObject({ version: n + 1 });
      const change = store.update(item, id, () => named(`change ${n}`));
      const meanwhile = await store.get(item, id);
      expect([n + 1, n + 2]).toContain(meanwhile?.version ?? 0);
      await change;
      expect((await store.list(item, { limit: 10 })).rows[0]?.version).toBe(n + 2);
    }
    await store.remove(item, id);
    expect(await store.get(item, id)).toBeUndefined();
  });

  test("a change that is refused, or a read that fails, leaves the next ones alone", async () => {
    const { id } = await store.insert(item, named("first"));
    await store.get(item, id);
    const no = () => {
      throw new Error("no");
    };
    await expect(store.update(item, id, no)).rejects.toThrow("no");
    await expect(store.list(item, { limit: 10, sort: ["nonsense"] })).rejects.toThrow();
    expect((await store.get(item, id))?.version).toBe(1);
    await store.update(item, id, () => named("second"));
    expect((await store.get(item, id))?.version).toBe(2);
  });
});
