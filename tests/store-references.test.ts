// References between records, decided in the commit: missing targets, and what the deletion of a record does to those that refer to it.
import { describe, expect, test } from "bun:test";
import { type TProperties, Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, mistake, Nullable, type RecordOf } from "warren/resource";
import { Catalogue } from "../src/schema/catalogue";
import { Conflict, InvalidRecord } from "../src/schema/refused-change";
import type { Resource } from "../src/schema/resource";
import { forEachEngineInFull } from "./support/engines";
import { rejection } from "./support/rejection";
import { useStore } from "./support/use-store";

const team = defineResource({ name: "team", fields: { name: Type.String() }, example: { name: "Red" } });
const project = defineResource({
  name: "project",
  fields: { title: Type.String(), owner: Nullable(Type.Integer()), parent: Nullable(Type.Integer()) },
  references: { owner: { to: "team", onDelete: "null" }, parent: { to: "project", onDelete: "cascade" } },
  check: ({ title, owner }) => (title === "owned" && owner === null ? [mistake("/owner", "Must have an owner.")] : []),
  example: { title: "Fence", owner: null, parent: null },
});
const taskFields = {
  project: Type.Integer(),
  place: Nullable(Type.Object({ team: Nullable(Type.Integer()) })),
  parts: Type.Array(Type.Object({ made: Type.Array(Type.Integer()) }), { default: [] }),
};
const taskReferences = {
  project: { to: "project", onDelete: "cascade" },
  "place.team": { to: "team", onDelete: "null" },
  "parts[].made[]": { to: "team" },
} as const;
const task = defineResource({
  name: "task",
  fields: taskFields,
  references: taskReferences,
  example: { project: 1, place: null, parts: [] },
});
const resources: readonly Resource[] = [team, project, task];

forEachEngineInFull((placesIn, { times }) => {
  const { open, reopen, startOver, store } = useStore(placesIn, resources, { journalAtMost: 3 });
  const addTeam = () => store.insert(team, { name: "Red" });
  const addProject = (some: Partial<RecordOf<typeof project>> = {}) =>
    store.insert(project, { title: "Fence", owner: null, parent: null, ...some });
  const addTask = (some: Partial<RecordOf<typeof task>> = {}) => store.insert(task, { project: 1, place: null, parts: [], ...some });
  const types = async (after = 0) => (await store.log.read(after, 10_000)).map(({ type, subject }) => `${type} ${subject}`);
  const count = async (resource: Resource) => (await store.list(resource, { limit: 200 })).rows.length;

  describe("a missing target", () => {
    test("is refused with each of its places, for a new record and a changed one", async () => {
      await addProject();
      await addTeam();
      await addTask();
      const wrong = { project: 2, place: { team: 9 }, parts: [{ made: [1, 3] }, { made: [] }, { made: [2, 3] }] };
      const error = (await rejection(addTask(wrong))) as InvalidRecord;
      expect(error).toBeInstanceOf(InvalidRecord);
      expect([error.summary, error.mistakes]).toEqual([
        "The task refers to what does not exist.",
        [
          { pointer: "/project", detail: "There is no project with this id." },
          ...["/place/team", "/parts/0/made/1", "/parts/2/made/0", "/parts/2/made/1"].map((pointer) => ({
            pointer,
            detail: "There is no team with this id.",
          })),
        ],
      ]);
      for (const id of [0, -1, 2])
        expect(await rejection(store.update(task, 1, (current) => ({ ...current, project: id })))).toBeInstanceOf(InvalidRecord);
      expect(await types()).toEqual(["project.created 1", "team.created 1", "task.created 1"]);
    });

    test("is one that was deleted, in the same commit as well; one that is created in it exists", async () => {
      const outcomes = await Promise.allSettled([
        addProject(),
        addTask(),
        store.remove(project, 1),
        addTask(),
        addProject(),
        addTask({ project: 2 }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
      expect([await count(project), await count(task)]).toEqual([1, 1]);
    });
  });

  describe("restrict", () => {
    test("refuses the deletion of a record that is referred to, and says by which resource", async () => {
      await addProject();
      await addTeam();
      await addTask({ parts: [{ made: [1, 1] }] });
      const { name, summary, mistakes } = (await rejection(store.remove(team, 1))) as Conflict;
      expect([name, summary, mistakes]).toEqual([
        "Conflict",
        'The team cannot be deleted, because at least one task refers to it in "parts[].made[]". Change or delete each such task first.',
        [],
      ]);
      await store.update(task, 1, (current) => ({ ...current, parts: [] }));
      expect(await store.remove(team, 1)).toMatchObject({ id: 1 });
    });

    test("in one commit: refused after an order, and not after its deletion", async () => {
      await addProject();
      await addTeam();
      const outcomes = await Promise.allSettled([
        addTask({ parts: [{ made: [1] }] }),
        store.remove(team, 1),
        store.remove(task, 1),
        store.remove(team, 1),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    });

    test("finds the one that still refers among many that no longer do", async () => {
      await addProject();
      await addTeam();
      await Promise.all(Array.from({ length: 250 }, () => addTask({ parts: [{ made: [1] }] })));
      const clear = (id: number) => store.update(task, id, (current) => ({ ...current, parts: [] }));
      const clearing = Array.from({ length: 249 }, (_, index) => clear(index + 1));
      expect(await rejection(store.remove(team, 1))).toBeInstanceOf(Conflict);
      await Promise.all(clearing);
      expect(await rejection(store.remove(team, 1))).toBeInstanceOf(Conflict);
      await clear(250);
      expect(await store.remove(team, 1)).toMatchObject({ id: 1 });
    });
  });

  describe("cascade", () => {
    test("deletes the records that refer, each before the one that it refers to, in one commit", async () => {
      await addProject();
      await addProject({ parent: 1 });
      await addProject({ parent: 2 });
      await addTask({ project: 3 });
      await addTask({ project: 1 });
      await addTask({ project: 2 });
      await addProject();
      const before = await store.log.end();
      expect(await store.remove(project, 1, { actor: { subject: "ada", scopes: [] } })).toMatchObject({ id: 1 });
      const after = await types(before);
      expect(after.toSorted()).toEqual(
        ["project.deleted 1", "project.deleted 2", "project.deleted 3", "task.deleted 1", "task.deleted 2", "task.deleted 3"].toSorted(),
      );
      for (const [child, parent] of [
        ["task.deleted 1", "project.deleted 3"],
        ["project.deleted 3", "project.deleted 2"],
        ["task.deleted 3", "project.deleted 2"],
        ["project.deleted 2", "project.deleted 1"],
        ["task.deleted 2", "project.deleted 1"],
      ] as const)
        expect(after.indexOf(child)).toBeLessThan(after.indexOf(parent));
      for (const { body } of await store.log.read(before, 100)) expect(JSON.parse(body)).toMatchObject({ actor: "ada" });
      expect(await types(await store.log.end())).toEqual([]);
      expect([await count(project), await count(task)]).toEqual([1, 0]);
    });

    test("goes round a circle, and through a record that refers to itself", async () => {
      await addProject();
      await addProject({ parent: 1 });
      await store.update(project, 1, (current) => ({ ...current, parent: 2 }));
      await addProject();
      await store.update(project, 3, (current) => ({ ...current, parent: 3 }));
      await store.remove(project, 1);
      await store.remove(project, 3);
      expect(await count(project)).toBe(0);
    });

    test("of up to 1,000 records; of more, nothing is deleted and the message says what to do", async () => {
      await addProject();
      await Promise.all(Array.from({ length: 1001 }, () => addTask()));
      const before = await store.log.end();
      const error = await rejection(store.remove(project, 1));
      expect([error.name, error.message]).toEqual([
        "Conflict",
        "The project cannot be deleted at once, because more than 1,000 records refer to it, directly or through others. Delete or change some of them first.",
      ]);
      expect(await store.log.end()).toBe(before);
      await store.remove(task, 1);
      await store.remove(project, 1);
      expect(await store.log.end()).toBe(before + 1002);
    });

    test("is refused if a restricted record stands in its way, and then changes nothing", async () => {
      const step = defineResource({
        name: "step",
        fields: { task: Type.Integer() },
        references: { task: { to: "task", onDelete: "restrict" } },
        example: { task: 1 },
      });
      await reopen([...resources, step]);
      await addProject();
      await addTask();
      await store.insert(step, { task: 1 });
      const before = await store.log.end();
      expect((await rejection(store.remove(project, 1))).message).toStartWith(
        'The task cannot be deleted, because at least one step refers to it in "task".',
      );
      expect(await store.log.end()).toBe(before);
    });
  });

  describe("null", () => {
    test("sets the field to null in each record that refers, with an event each, before the deletion", async () => {
      await addTeam();
      await addProject({ owner: 1 });
      await addProject({ owner: 1 });
      await addTask({ place: { team: 1 } });
      const before = await store.log.end();
      await store.remove(team, 1);
      const after = await types(before);
      expect(after.slice(0, 3).toSorted()).toEqual(["project.updated 1", "project.updated 2", "task.updated 1"]);
      expect(after.slice(3)).toEqual(["team.deleted 1"]);
      expect(JSON.parse((await store.get(project, 1))?.json ?? "")).toMatchObject({ owner: null, version: 2 });
      expect(JSON.parse((await store.get(task, 1))?.json ?? "")).toMatchObject({ place: { team: null }, version: 2 });
    });

    test("is refused if a rule does not allow it", async () => {
      await addTeam();
      await addProject({ title: "owned", owner: 1 });
      const { name, message } = await rejection(store.remove(team, 1));
      expect([name, message]).toEqual([
        "Conflict",
        "The team cannot be deleted, because at least one project refers to it and cannot do without it: The project is not valid. /owner: Must have an owner.",
      ]);
      expect(await types()).toEqual(["team.created 1", "project.created 1"]);
    });

    test("of a record that is deleted as well is only its deletion", async () => {
      await addTeam();
      await addProject({ owner: 1 });
      await addProject({ owner: 1, parent: 1 });
      const all = defineResource({
        name: "project",
        fields: project.fields.properties,
        references: { owner: { to: "team", onDelete: "cascade" }, parent: { to: "project", onDelete: "null" } } as never,
        example: { title: "", owner: null, parent: null } as never,
      });
      await reopen([team, all, task]);
      const before = await store.log.end();
      await store.remove(team, 1);
      expect((await types(before)).toSorted()).toEqual(["project.deleted 1", "project.deleted 2", "team.deleted 1"]);
    });
  });

  describe("a reference declared over stored records", () => {
    const plain = defineResource({ name: "task", fields: taskFields, example: { project: 1, place: null, parts: [] } });

    test("holds for them", async () => {
      await addProject();
      await addTask();
      await reopen([team, project, plain]);
      await addTask();
      await store.remove(task, 1);
      await reopen();
      await store.remove(project, 1);
      expect(await count(task)).toBe(0);
    });

    test("whose targets are missing refuses the start, naming some, and says what to do", async () => {
      await reopen([team, project, plain]);
      await addTask({ project: 7, parts: [{ made: [5, 5, 6] }] });
      await store.close();
      expect((await rejection(open())).message).toBe(
        [
          'The reference "project" of "task" does not hold for stored records:',
          "  task 1: there is no project 7",
          "Start the service without this reference, create the missing records or change or delete the ones named, and declare it again.",
          'The reference "parts[].made[]" of "task" does not hold for stored records:',
          "  task 1: there is no team 5",
          "  task 1: there is no team 6",
          "Start the service without this reference, create the missing records or change or delete the ones named, and declare it again.",
        ].join("\n"),
      );
      await open([team, project, plain]);
      await store.remove(plain, 1);
      await reopen();
    });
  });

  test("whatever is changed together, every reference leads to a record that exists, and the tables find each", async () => {
    const id = fc.integer({ min: 1, max: 5 });
    const change = fc.oneof(
      fc.record({ what: fc.constant("add" as const), owner: fc.option(id), parent: fc.option(id) }),
      fc.record({ what: fc.constant("move" as const), id, owner: fc.option(id), parent: fc.option(id) }),
      fc.record({ what: fc.constant("task" as const), project: id, team: fc.option(id), made: fc.array(id, { maxLength: 2 }) }),
      fc.record({ what: fc.constant("removeProject" as const), id }),
      fc.record({ what: fc.constant("removeTeam" as const), id }),
      fc.record({ what: fc.constant("team" as const) }),
    );
    type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;
    const make = (each: Change): Promise<unknown> => {
      if (each.what === "team") return addTeam();
      if (each.what === "add") return addProject({ owner: each.owner, parent: each.parent });
      if (each.what === "move")
        return store.update(project, each.id, (current) => ({ ...current, owner: each.owner, parent: each.parent }));
      if (each.what === "task")
        return addTask({ project: each.project, place: { team: each.team }, parts: each.made.map((one) => ({ made: [one] })) });
      return each.what === "removeTeam" ? store.remove(team, each.id) : store.remove(project, each.id);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 5 }), async (groups) => {
        await startOver();
        for (const group of groups) {
          for (const outcome of await Promise.allSettled(group.map(make)))
            if (outcome.status === "rejected") expect(["InvalidRecord", "Conflict"]).toContain((outcome.reason as Error).name);
        }
        const ids = async (resource: Resource) => (await store.list(resource, { limit: 200 })).rows.map((row) => row.id as number | null);
        const has = async (resource: Resource, all: readonly (number | null)[]) =>
          expect([null, ...(await ids(resource))]).toEqual(expect.arrayContaining([...all]));
        const projects = (await store.list(project, { limit: 200 })).rows.map(({ json }) => JSON.parse(json) as RecordOf<typeof project>);
        const tasks = (await store.list(task, { limit: 200 })).rows.map(({ json }) => JSON.parse(json) as RecordOf<typeof task>);
        await has(team, [
          ...projects.map(({ owner }) => owner),
          ...tasks.flatMap(({ place, parts }) => [place?.team ?? null, ...parts.flatMap(({ made }) => made)]),
        ]);
        await has(project, [...projects.map(({ parent }) => parent), ...tasks.map((each) => each.project)]);
        for (const one of await ids(project)) await store.remove(project, one as number);
        expect([await count(project), await count(task)]).toEqual([0, 0]);
        for (const one of await ids(team)) await store.remove(team, one as number);
      }),
      { numRuns: times(60) },
    );
  });
});

describe("a declaration is refused", () => {
  const define =
    (references: unknown, own: TProperties = taskFields) =>
    () =>
      defineResource({ name: "task", fields: own, references: references as never, example: task.example as never });
  test.each<[string, unknown, string]>([
    ["that names no field", { projct: { to: "project" } }, 'the reference "projct" does not name a field'],
    ["of a text", { note: { to: "project" } }, 'the reference "note" must be an integer'],
    ["of a number that is not an integer", { price: { to: "project" } }, 'the reference "price" must be an integer'],
    ["of an array as a whole", { parts: { to: "project" } }, 'the reference "parts" must be an integer'],
    ["that says nothing of its target", { project: {} }, 'does not say to which resource it leads; add `to`, such as `to: "customer"`'],
    ["with an unknown onDelete", { project: { to: "project", onDelete: "nothing" } }, "use restrict, cascade or null"],
    ["with null in an array", { "parts[].made[]": { to: "team", onDelete: "null" } }, "because it is in an array"],
    ["with null where the schema does not allow it", { project: { to: "project", onDelete: "null" } }, "does not allow null"],
  ])("%s", (_what, references, message) => {
    const own = { ...taskFields, note: Nullable(Type.String()), price: Nullable(Type.Number()) };
    expect(define(references, own)).toThrow(message);
  });

  test("with a field that has the name of what responses add", () => {
    expect(define({ project: { to: "project" } }, { ...taskFields, expanded: Nullable(Type.String()) })).toThrow("rename that field");
  });

  test("to a resource that does not exist, where the resources come together", () => {
    expect(() => new Catalogue([task, team])).toThrow(
      'Resource "task": the reference "project" leads to "project", which is not a resource. Known: task, team.',
    );
  });
});
