// Decisions of a resource's managed and derived fields and of its rule, in the commit, for every way to write a record.
import { beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, mistake, oneOf, pastVersion, type RecordOf } from "warren/resource";
import type { Actor } from "../src/schema/actor";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { Conflict, InvalidChange, InvalidRecord } from "../src/schema/refused-change";
import type { Rule } from "../src/schema/resource";
import type { InsertOutcome } from "../src/store/store";
import { forEachEngineInFull } from "./support/engines";
import { rejection } from "./support/rejection";
import { useStore } from "./support/use-store";

/** Further mistakes that the rule finds. A test may let it throw. */
let alsoSays: Rule = () => [];
let seen: unknown[] = [];

const repair = defineResource({
  name: "repair",
  fields: { door: Type.String({ minLength: 1 }), hours: Type.Array(Type.Number({ minimum: 0 })), note: Type.Optional(Type.String()) },
  managed: { state: { schema: oneOf("open", "closed"), initial: "open" }, tags: { schema: Type.Array(Type.String()), initial: [] } },
  derived: {
    total: { schema: Type.Number({ maximum: 100 }), from: ({ hours }) => hours.reduce((sum, each) => sum + each, 0) },
    title: { schema: Type.String(), from: ({ door, state }) => `${door} (${state})` },
  },
  check(record, context) {
    seen.push([record, context]);
    const { previous } = context;
    if (previous?.state === "closed" && record.state === "open") return [mistake("/state", "A closed repair stays closed.")];
    return record.door.startsWith("!") ? [mistake("/door", "No !"), mistake("/hours/0", "None.")] : alsoSays(record, context);
  },
  events: { noticed: {} },
  example: { door: "Front", hours: [] },
});
type Repair = RecordOf<typeof repair>;

const front = { door: "Front", hours: [1, 2] };
const ada: Actor = { subject: "ada", scopes: ["read", "write"] };

forEachEngineInFull((placesIn) => {
  const { store } = useStore(placesIn, [repair]);
  beforeEach(() => {
    alsoSays = () => [];
    seen = [];
  });

  const read = async (id = 1) => JSON.parse((await store.get(repair, id))?.json ?? "null") as Repair;
  const types = async () => (await store.log.read(0, 1000)).map(({ type }) => type);

  describe("managed and derived fields", () => {
    test("a new record has the initial values and the computed ones, in the order of the schema", async () => {
      const { json } = await store.insert(repair, front);
      expect(Object.keys(JSON.parse(json))).toEqual(Object.keys(repair.record.properties).filter((field) => field !== "note"));
      expect(await read()).toMatchObject({ state: "open", tags: [], total: 3, title: "Front (open)" });
      const [created] = await store.log.read(0, 1);
      expect(created?.body).toContain(`"repair":${json}`);
    });

    test("code of the service sets managed ones; left out, they keep their value, and the derived ones follow", async () => {
      await store.insert(repair, { ...front, tags: ["new"] });
      await store.update(repair, 1, (current) => ({ ...current, state: "closed" as const }));
      await store.update(repair, 1, () => ({ door: "Back", hours: [] }));
      expect(await read()).toMatchObject({ state: "closed", tags: ["new"], total: 0, title: "Back (closed)", version: 3 });
    });

    test("a derived field that a change overwrites is computed again", async () => {
      await store.insert(repair, front);
      await store.update(repair, 1, (current) => Object.assign(current, { total: 99, door: "Back" }));
      expect(await read()).toMatchObject({ total: 3, title: "Back (open)" });
    });

    test("a computed value that its schema refuses is refused with its place", async () => {
      const { message } = await rejection(store.insert(repair, { door: "Front", hours: [60, 50] }));
      expect(message).toStartWith("The repair would not be valid. /total: ");
      expect(await store.log.end()).toBe(0);
    });

    test("fields that their schema refuses are the mistake, even where a computed field cannot be computed from them", async () => {
      const wrong = await rejection(store.insert(repair, { door: "", hours: null } as never));
      expect(wrong).toBeInstanceOf(InvalidChange);
      expect((wrong as InvalidChange).mistakes.map(({ pointer }) => pointer)).toEqual(["/door", "/hours"]);
    });

    test.each<[string, () => unknown, string]>([
      ["throws", () => JSON.parse("{"), 'The derived field "total" of "broken" threw SyntaxError'],
      ["is async", async () => 1, 'The derived field "total" of "broken" returned a promise; it must not be async.'],
    ])("a function that %s is refused where the resource is declared, with its example", (_what, from, message) => {
      const define = () => defineResource({ name: "broken", fields: {}, derived: { total: { schema: Type.Any(), from } }, example: {} });
      expect(define).toThrow(message);
    });
  });

  describe("a rule", () => {
    test("gets the record as it will be stored, the one before, and the actor", async () => {
      await store.insert(repair, front);
      const created = await read();
      await store.update(repair, 1, (current) => Object.assign(current, { door: "Back" }), { actor: ada });
      expect(seen).toEqual([
        [created, { previous: undefined, actor: undefined }],
        [await read(), { previous: created, actor: ada }],
      ]);
    });

    test("holds for insert, insertAll and update; nothing is changed", async () => {
      const error = await rejection(store.insert(repair, { door: "!", hours: [] }));
      expect(error).toBeInstanceOf(InvalidRecord);
      expect(error).toMatchObject({
        summary: "The repair is not valid.",
        mistakes: [
          { pointer: "/door", detail: "No !" },
          { pointer: "/hours/0", detail: "None." },
        ],
      });
      expect(await rejection(store.insertAll(repair, [front, { door: "!", hours: [] }], () => ""))).toMatchObject({
        mistakes: [{ pointer: "/1/door" }, { pointer: "/1/hours/0" }],
      });
      expect(await store.log.end()).toBe(0);
      await store.insert(repair, { ...front, state: "closed" });
      const reopen = store.update(repair, 1, (current) => ({ ...current, state: "open" as const }), { emit: { noticed: {} } });
      expect((await rejection(reopen)).message).toBe("The repair is not valid. /state: A closed repair stays closed.");
      expect([(await read()).version, await types()]).toEqual([1, ["repair.created"]]);
    });

    test("does not hold for what changes nothing, and not for deletion; a record from before it stays, and its next change is checked", async () => {
      await store.insert(repair, front);
      alsoSays = () => [mistake("", "Never.")];
      expect(await store.update(repair, 1, (current) => current, { emit: { noticed: {} } })).toMatchObject({ version: 1 });
      expect((await rejection(store.update(repair, 1, () => ({ door: "Back", hours: [] })))).message).toContain("Never.");
      expect(await store.remove(repair, 1)).toMatchObject({ version: 1 });
      expect(await types()).toEqual(["repair.created", "repair.noticed", "repair.deleted"]);
    });

    const broken: [string, () => unknown, string][] = [
      ["a promise", () => Promise.reject(new Error("late")), "returned a promise; it must not be async."],
      ["nothing", () => undefined, "has to return an array of mistakes, which is empty if there are none."],
      ["a mistake alone", () => ({ pointer: "/door", detail: "No." }), "has to return an array"],
      ["texts", () => ["No."], "returned a mistake that is not one"],
      ["null", () => [null], "returned a mistake that is not one"],
      ["a path instead of a pointer", () => [mistake("door", "No.")], "the first is a JSON pointer"],
      ["a pointer with a bad escape", () => [mistake("/~2", "No.")], "the first is a JSON pointer"],
      ["a mistake without words", () => [mistake("/door", "")], "returned a mistake that is not one"],
    ];
    test.each(broken)("that returns %s is an error that says so, and changes nothing", async (_what, returned, message) => {
      alsoSays = returned as Rule;
      const error = await rejection(store.insert(repair, front));
      expect(error.name).toBe("BrokenHook");
      expect(error.message).toStartWith('The check of "repair" ');
      expect(error.message).toContain(message);
      expect(await store.log.end()).toBe(0);
    });

    test("that throws anything is an error with the stack of what it threw; changes of the same commit are made", async () => {
      const cause = new RangeError("boom");
      alsoSays = ({ id }) => {
        if (id === 2) throw cause;
        return [];
      };
      const changes = [front, front, { door: "Back", hours: [] }].map((fields) => store.insert(repair, fields));
      const [first, second, third] = await Promise.allSettled(changes);
      expect([first?.status, third?.status]).toEqual(["fulfilled", "rejected"]);
      expect((second as PromiseRejectedResult).reason).toMatchObject({
        message: 'The check of "repair" threw RangeError: boom',
        cause,
        stack: cause.stack,
      });
      alsoSays = () => {
        throw null;
      };
      expect((await rejection(store.insert(repair, front))).message).toBe('The check of "repair" threw null');
      expect(await types()).toEqual(["repair.created"]);
    });
  });

  describe("insertEach", () => {
    const wrong = { door: "!", hours: [] };
    const answerOf = (outcomes: readonly InsertOutcome[]) =>
      outcomes.map((outcome) => (outcome instanceof Error ? outcome.message : outcome.id)).join("; ");

    test("a record that is refused leaves the others, and no gap in the ids", async () => {
      const answer = await store.insertEach(repair, [front, wrong, { door: "", hours: [] }, front], answerOf);
      expect(answer).toBe(
        "1; The repair is not valid. /door: No !; /hours/0: None.; " +
          "The repair would not be valid. /door: Expected string of at least 1 characters; 2",
      );
      expect([await types(), (await read(2)).door]).toEqual([["repair.created", "repair.created"], "Front"]);
    });

    test("with a key, the same answer comes again, refusals included", async () => {
      const once = { key: "k", fingerprint: "f", part: 0 };
      const first = await store.insertEach(repair, [front, wrong], answerOf, { once });
      alsoSays = () => [mistake("", "Never.")];
      expect(await store.insertEach(repair, [front, wrong], answerOf, { once })).toBe(first);
      expect(await types()).toEqual(["repair.created"]);
    });

    test("anything else that goes wrong undoes all", async () => {
      const answerFails = () => {
        throw new Error("no answer");
      };
      expect((await rejection(store.insertEach(repair, [front], answerFails))).message).toBe("no answer");
      expect(await store.log.end()).toBe(0);
    });
  });

  test("a change that throws Conflict changes nothing", async () => {
    await store.insert(repair, front);
    const change = store.update(repair, 1, () => {
      throw new Conflict("The repair is under way.");
    });
    expect(await rejection(change)).toBeInstanceOf(Conflict);
    expect(await types()).toEqual(["repair.created"]);
  });
});

forEachEngineInFull((placesIn) => {
  const fields = { door: Type.String() };
  const before = defineResource({ name: "repair", fields, example: { door: "Front" } });
  const after = defineResource({
    name: "repair",
    fields,
    managed: { state: { schema: oneOf("open", "closed"), initial: "open" } },
    derived: { title: { schema: Type.String(), from: ({ door, state }) => `${door} (${state})` } },
    past: [pastVersion({ fields, up: (old) => old })],
    example: { door: "Front" },
  });
  const { reopen, store } = useStore(placesIn, [before]);

  test("records from before a managed or derived field get it at the start, with the earlier schema in `past`; so do their events", async () => {
    const { json } = await store.insert(before, { door: "Front" });
    await reopen([after]);
    const record = JSON.parse((await store.get(after, 1))?.json ?? "") as object;
    const { id, door, ...history } = JSON.parse(json) as RecordOf<typeof before>;
    expect(Object.entries(record)).toEqual(Object.entries({ id, door, state: "open", title: "Front (open)", ...history }));
    expect(await store.checkRecords(() => {})).toEqual([]);
    const [entry] = await store.log.read(0, 1);
    expect(parseEvent(entry?.body ?? "", new Catalogue([after]))).toMatchObject({ ok: true, record });
  });
});
