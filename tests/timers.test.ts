// Events that are published later: set, cancelled and dropped in the commit of a change, and published once when they are due.
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, pastVersion } from "warren/resource";
import { InvalidChange } from "../src/schema/refused-change";
import { ChainTooLong, mostDepth } from "../src/store/cause";
import type { Timer } from "../src/store/timers";
import { forEachEngine } from "./support/engines";
import { useStore } from "./support/use-store";

const loan = defineResource({
  name: "loan",
  fields: { book: Type.String(), reader: Type.Optional(Type.Integer({ minimum: 1 })) },
  references: { reader: { to: "reader", onDelete: "cascade" } },
  events: { reminded: { text: Type.String() }, overdue: {} },
  example: { book: "Middlemarch" },
});
const reader = defineResource({ name: "reader", fields: { name: Type.String() }, events: { greeted: {} }, example: { name: "Ada" } });
const year = 365 * 86_400_000;

forEachEngine((placesIn) => {
  const { store, reopen } = useStore(placesIn, [loan, reader]);
  const inAYear = () => Date.now() + year;
  const waiting = () => store.timers.list({ limit: 100 });
  const due = (now = inAYear()) => store.timers.due(now, 100);
  const fire = async () => store.timers.fire(await due());
  const types = async () => (await store.log.read(0, 1000)).map(({ type }) => type);
  const bodies = async () => (await store.log.read(0, 1000)).map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  test("a timer becomes an event once, in order of time, with the record as it is then", async () => {
    const before = Date.now();
    const { id } = await store.insert(loan, { book: "Emma" }, { later: [{ event: "overdue", after: "3d" }] });
    const later = [{ event: "reminded", after: "2d", data: { text: "Tomorrow" } }] as const;
    await store.update(loan, id, () => ({ book: "Persuasion" }), { later, actor: { subject: "ada", scopes: [] }, traceparent: "00-a" });
    const [first, second] = await waiting();
    expect(first).toMatchObject({ event: "reminded", resource: "loan", subject: id, actor: "ada", key: null, cause: null, problem: null });
    expect((first?.dueAt ?? 0) - before).toBeGreaterThanOrEqual(2 * 86_400_000);
    expect((second?.dueAt ?? 0) - Date.now()).toBeLessThanOrEqual(3 * 86_400_000);
    expect(await store.timers.next()).toBe(first?.dueAt as number);
    expect(await due(Date.now())).toEqual([]);
    expect(await store.timers.count(10)).toEqual({ waiting: 2, hindered: 0 });

    await reopen();
    const found = await due();
    expect(await Promise.all([store.timers.fire(found), store.timers.fire(found)])).toEqual([2, 0]);
    expect(await store.timers.fire(found)).toBe(0);
    expect(await types()).toEqual(["loan.created", "loan.updated", "loan.reminded", "loan.overdue"]);
    const [, , reminded, overdue] = await bodies();
    expect(reminded).toMatchObject({ loan: { id, book: "Persuasion", version: 2 }, data: { text: "Tomorrow" }, actor: "ada" });
    expect(overdue).toMatchObject({ loan: { book: "Persuasion" }, data: {} });
    expect(overdue).not.toHaveProperty("actor");
    expect(await waiting()).toEqual([]);
    expect(await store.timers.next()).toBeUndefined();
  });

  test("a key replaces and cancels, in the commit of the change only", async () => {
    const { id } = await store.insert(loan, { book: "Emma" }, { later: [{ event: "overdue", after: "1d", key: "loan:1" }] });
    await store.update(loan, id, (current) => current, { later: [{ event: "overdue", at: "2039-01-02T03:04:05Z", key: "loan:1" }] });
    expect(await waiting()).toMatchObject([{ key: "loan:1", dueAt: Date.UTC(2039, 0, 2, 3, 4, 5) }]);
    const refused = store.update(
      loan,
      id,
      () => {
        throw new Error("no");
      },
      { cancel: ["loan:1"] },
    );
    expect(refused).rejects.toThrow("no");
    await refused.catch(() => {});
    expect(await waiting()).toHaveLength(1);
    expect(await store.timers.list({ key: "loan:1", resource: "loan", subject: id, limit: 10 })).toHaveLength(1);
    expect(await store.timers.list({ key: "loan:2", limit: 10 })).toEqual([]);
    await store.transaction((tx) =>
      tx.update(loan, id, {}, { cancel: ["loan:1", "unknown"], later: [{ event: "overdue", after: 5, key: "b" }] }),
    );
    expect((await waiting()).map(({ key }) => key)).toEqual(["b"]);
    // Both wait for the same commit: the second one finds the key of the first.
    const same = [1, 2, 3].map((hours) =>
      store.update(loan, id, (now) => now, { later: [{ event: "overdue", after: `${hours}h`, key: "c" }] }),
    );
    await Promise.all(same);
    expect((await waiting()).filter(({ key }) => key === "c")).toHaveLength(1);
    expect(await types()).toEqual(["loan.created"]);
  });

  test("one that was cancelled, replaced, dropped or fired in the same commit is not fired", async () => {
    const later = (key: string) => ({ later: [{ event: "overdue" as const, after: "1h", key }] });
    const [a, b, c, d] = await Promise.all(["a", "b", "c", "d"].map((key) => store.insert(loan, { book: key }, later(key))));
    const found = await due();
    const changes = [
      store.update(loan, a?.id ?? 0, (now) => now, { cancel: ["a"] }),
      store.update(loan, b?.id ?? 0, (now) => now, { later: [{ event: "overdue", after: "2h", key: "b" }] }),
      store.remove(loan, c?.id ?? 0),
    ];
    expect(await store.timers.fire(found)).toBe(1);
    await Promise.all(changes);
    expect((await bodies()).filter(({ type }) => type === "loan.overdue")).toMatchObject([{ loan: { id: d?.id } }]);
    expect((await waiting()).map(({ key }) => key)).toEqual(["b"]);
  });

  test("deleting a record drops its timers, also those of records that are deleted with it; so does erasing", async () => {
    const ada = await store.insert(reader, { name: "Ada" }, { later: [{ event: "greeted", after: "1d" }] });
    await store.insert(loan, { book: "Emma", reader: ada.id }, { later: [{ event: "overdue", after: "1d" }] });
    const kept = await store.insert(loan, { book: "Emma" }, { later: [{ event: "overdue", after: "1d", key: "kept" }] });
    await store.remove(reader, ada.id, { cancel: ["nothing"] });
    expect((await waiting()).map(({ key }) => key)).toEqual(["kept"]);
    await store.restore(reader, ada.id);
    expect(await waiting()).toHaveLength(1);
    await store.erase(loan, kept.id);
    expect(await waiting()).toEqual([]);
    expect(store.remove(reader, ada.id, { later: [{ event: "greeted", after: 1 }] })).rejects.toThrow("would be dropped with the record");
  });

  test("an event keeps the cause of the change that set its timer, and a chain of them ends", async () => {
    const { id } = await store.insert(loan, { book: "Emma" }, { later: [{ event: "overdue", after: 0 }], cause: { id: "why", depth: 7 } });
    await fire();
    expect((await bodies()).at(-1)).toMatchObject({ type: "loan.overdue", cause: "why", depth: 8 });
    expect((await store.causedBy("why", 10)).map(({ type }) => type)).toEqual(["loan.created", "loan.overdue"]);
    const tooDeep = { cause: { id: "deep", depth: mostDepth }, later: [{ event: "overdue", after: 0 }] } as const;
    expect(await store.update(loan, id, (now) => now, tooDeep).catch((error: unknown) => error)).toBeInstanceOf(ChainTooLong);
  });

  test("what cannot be set is refused, with the change", async () => {
    const set = (later: object) =>
      store.insert(loan, { book: "Emma" }, { later: [later as never] }).catch((error: unknown) => error as Error);
    expect((await set({ event: "lost", after: 1 })) as Error).toMatchObject({
      message: expect.stringContaining('does not declare the event "lost"'),
    });
    expect(await set({ event: "reminded", after: 1, data: { text: 7 } })).toBeInstanceOf(InvalidChange);
    expect(await set({ event: "reminded", after: 1 })).toBeInstanceOf(InvalidChange);
    for (const when of [{}, { after: "soon" }, { after: -1 }, { at: "tomorrow" }, { at: new Date(Number.NaN) }])
      expect(await set({ event: "overdue", ...when })).toBeInstanceOf(TypeError);
    for (const key of ["", "x".repeat(201), "\ud800", 7]) expect(await set({ event: "overdue", after: 1, key })).toBeInstanceOf(TypeError);
    expect(await store.log.end()).toBe(0);
    expect(await waiting()).toEqual([]);
  });

  test("keys and data of any text stay what they are", async () => {
    const text = 'a\u0001b "\\" \ud83d\ude00';
    await store.insert(loan, { book: text }, { later: [{ event: "reminded", after: 1, data: { text }, key: "a\\b \ud83d\ude00'" }] });
    expect((await waiting())[0]?.key).toBe("a\\b \ud83d\ude00'");
    await fire();
    expect((await bodies()).at(-1)).toMatchObject({ data: { text }, loan: { book: text } });
  });

  test("one of an event that the program has no more is kept with its problem, and does not hold up others", async () => {
    await store.insert(loan, { book: "Emma" }, { later: [{ event: "overdue", after: 1, key: "old" }] });
    await store.insert(reader, { name: "Ada" }, { later: [{ event: "greeted", after: 2, key: "fine" }] });
    const changed = defineResource({
      name: "loan",
      fields: { book: Type.String() },
      events: { reminded: { text: Type.String() } },
      example: { book: "x" },
    });
    await reopen([changed, reader]);
    expect(await fire()).toBe(1);
    expect(await due()).toEqual([]);
    const [kept] = await waiting();
    expect(kept).toMatchObject({ key: "old", problem: expect.stringContaining('does not declare the event "overdue"') });
    expect(await store.timers.count(10)).toEqual({ waiting: 0, hindered: 1 });
    expect(await store.timers.count(0)).toEqual({ waiting: 0, hindered: 0 });
    expect(await store.timers.next()).toBeUndefined();
    expect(await store.timers.cancel(kept?.number ?? 0)).toBe(true);
    expect(await store.timers.cancel(kept?.number ?? 0)).toBe(false);
    expect(await store.timers.get(kept?.number ?? 0)).toBeUndefined();
  });

  test("data of an earlier version of the event is converted when it is due", async () => {
    await store.insert(loan, { book: "Emma" }, { later: [{ event: "reminded", after: 1, data: { text: "Soon" } }] });
    const past = [pastVersion({ event: "reminded", fields: { text: Type.String() }, up: ({ text }) => ({ words: text.split(" ") }) })];
    const changed = defineResource({
      ...{ name: "loan", fields: { book: Type.String() }, example: { book: "x" } },
      events: { reminded: { words: Type.Array(Type.String()) } },
      past,
    });
    await reopen([changed, reader]);
    expect(await fire()).toBe(1);
    expect((await bodies()).at(-1)).toMatchObject({ type: "loan.reminded", version: 2, data: { words: ["Soon"] } });
  });

  test("pages of timers, in the order of time", async () => {
    for (const hours of [3, 1, 2]) await store.insert(loan, { book: `${hours}` }, { later: [{ event: "overdue", after: `${hours}h` }] });
    const pages: Timer[] = [];
    for (
      let page = await store.timers.list({ limit: 2 });
      page.length > 0;
      page = await store.timers.list({ limit: 2, after: page.at(-1) })
    )
      pages.push(...page);
    expect(pages.map(({ subject }) => subject)).toEqual([2, 3, 1]);
    expect(await store.timers.get(pages[0]?.number ?? 0)).toEqual(pages[0] as Timer);
    expect(await store.timers.list({ subject: 3, limit: 9 })).toHaveLength(1);
  });

  test("pages of those that wait and those with a problem, by resource, record and key", async () => {
    const { id: ada } = await store.insert(reader, { name: "Ada" }, { later: [{ event: "greeted", at: new Date(7), key: "greet" }] });
    const later = [5, 3, 9].map((at) => ({ event: "overdue" as const, at: new Date(at), key: `overdue:${at}` }));
    const { id } = await store.insert(loan, { book: "Emma" }, { later });
    await reopen([reader]);
    expect(await fire()).toBe(1);
    await store.update(reader, ada, (now) => now, { later: [4, 6].map((at) => ({ event: "greeted", at: new Date(at) })) });
    const times = async (query: Omit<Parameters<typeof store.timers.list>[0], "limit">, limit = 100) =>
      (await store.timers.list({ ...query, limit })).map(({ dueAt }) => dueAt);
    expect(await times({})).toEqual([3, 4, 5, 6, 9]);
    expect(await times({}, 3)).toEqual([3, 4, 5]);
    expect(await times({ after: (await waiting())[2] })).toEqual([6, 9]);
    expect(await times({ isHindered: true })).toEqual([3, 5, 9]);
    expect(await times({ isHindered: true, after: (await waiting())[0] }, 1)).toEqual([5]);
    expect(await times({ resource: "loan" })).toEqual([3, 5, 9]);
    expect(await times({ resource: "reader" }, 1)).toEqual([4]);
    expect(await times({ resource: "reader", isHindered: true })).toEqual([]);
    expect(ada).toBe(id);
    expect(await times({ subject: id })).toEqual([3, 4, 5, 6, 9]);
    expect(await times({ subject: id, isHindered: true, resource: "loan" }, 2)).toEqual([3, 5]);
    expect(await times({ subject: id, resource: "reader" })).toEqual([4, 6]);
    expect(await times({ key: "overdue:5" })).toEqual([5]);
    expect(await times({ key: "overdue:5", resource: "reader" })).toEqual([]);
    expect(await times({ key: "overdue:5", subject: id + 1 })).toEqual([]);
    expect(await times({ key: "greet" })).toEqual([]);
    expect(await store.timers.count(2)).toEqual({ waiting: 2, hindered: 2 });
    // Given again, they are tried again.
    const hindered = await store.timers.list({ isHindered: true, limit: 100 });
    expect(await store.timers.fire(hindered)).toBe(0);
    await reopen();
    expect(await store.timers.fire(hindered)).toBe(3);
    expect(await times({})).toEqual([4, 6]);
  });
});
