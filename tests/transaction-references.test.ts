// References in transactions: they are checked when all changes are known, and deletions cascade in the commit.
import { beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";
import { forEachEngine } from "./support/engines";
import { rejection } from "./support/rejection";
import { useStore } from "./support/use-store";

const project = defineResource({
  name: "project",
  fields: { title: Type.String(), lead: Nullable(Type.Integer()) },
  references: { lead: { to: "person", onDelete: "null" } },
  example: { title: "Door", lead: null },
});
const person = defineResource({
  name: "person",
  plural: "people",
  fields: { name: Type.String(), project: Type.Integer() },
  references: { project: { to: "project", onDelete: "restrict" } },
  example: { name: "Ada", project: 1 },
});
const task = defineResource({
  name: "task",
  fields: { text: Type.String(), project: Type.Integer() },
  references: { project: { to: "project", onDelete: "cascade" } },
  example: { text: "Oil it", project: 1 },
});

forEachEngine((placesIn) => {
  const { store } = useStore(placesIn, [project, person, task]);
  beforeEach(async () => {
    await store.insert(project, { title: "Door", lead: null });
    await store.insert(person, { name: "Ada", project: 1 });
    await store.insert(task, { text: "Oil it", project: 1 });
  });

  const newTypes = async () => (await store.log.read(3, 100)).map(({ type, subject }) => `${type} ${subject}`);

  test("two new records can refer to each other", async () => {
    await store.transaction(async (tx) => {
      const window = await tx.insert(project, { title: "Window", lead: null });
      const bob = await tx.insert(person, { name: "Bob", project: window.id });
      await tx.update(project, window.id, { lead: bob.id });
    });
    expect(await newTypes()).toEqual(["project.created 2", "person.created 2", "project.updated 2"]);
  });

  test("a record and those that refer to it can be deleted, in any order; one that is left refuses it", async () => {
    expect((await rejection(store.transaction((tx) => tx.remove(project, 1)))).message).toContain("at least one person refers to it");
    expect(await newTypes()).toEqual([]);
    await store.transaction(async (tx) => {
      await tx.remove(project, 1);
      await tx.remove(person, 1);
    });
    expect(await newTypes()).toEqual(["task.deleted 1", "project.deleted 1", "person.deleted 1"]);
  });

  test("a reference to a record that the transaction deletes, or that is not there, refuses it", async () => {
    const late = store.transaction(async (tx) => {
      await tx.remove(person, 1);
      await tx.remove(project, 1);
      await tx.insert(task, { text: "Paint it", project: 1 });
    });
    expect((await rejection(late)).message).toBe("The task refers to what does not exist. /project: There is no project with this id.");
    const missing = store.transaction((tx) => tx.insert(task, { text: "Paint it", project: 9 }));
    expect((await rejection(missing)).message).toBe("The task refers to what does not exist. /project: There is no project with this id.");
    expect(await newTypes()).toEqual([]);
  });

  test("a change of a record that its own deletion cascades to refuses it", async () => {
    const cascaded = store.transaction(async (tx) => {
      await tx.remove(person, 1);
      await tx.remove(project, 1);
      await tx.update(task, 1, { text: "Paint it" });
    });
    expect((await rejection(cascaded)).message).toBe("There is no task 1.");
    expect(await newTypes()).toEqual([]);
  });
});
