import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { defineResource, mistake, type Resource } from "warren/resource";
import { openSqliteStore } from "../src/store/sqlite/store";
import { databaseIn } from "./seeded";

const fields = {
  code: Type.String({ maxLength: 40 }),
  project: Type.Integer({ minimum: 1 }),
  title: Type.String({ minLength: 1, maxLength: 200 }),
};
const example = { code: "a", project: 1, title: "An item of ordinary size, with a sentence or two that say what it is." };

export const project = defineResource({ name: "project", fields: { title: Type.String() }, example: { title: "Fence" } });
export const plain = defineResource({ name: "plain", plural: "plains", fields, example });
export const keyed = defineResource({
  name: "keyed",
  plural: "keyeds",
  fields,
  unique: ["code"],
  references: { project: { to: "project" } },
  check: ({ title }, { previous }) => (previous && title === "" ? [mistake("/title", "Keep a title.")] : []),
  example,
});

/** The projects to which tickets refer, at random. */
export const projects = 1000;
/** Number of tickets of each kind in a new database. */
export const tickets = 200_000;
const group = 1000;

/** Creates a database with {@link projects} projects and {@link tickets} tickets of each kind. Returns its folder. */
export async function shopIn(parent: string, each = tickets): Promise<string> {
  const folder = join(parent, "shop");
  const store = openSqliteStore(databaseIn(folder), [project, plain, keyed]);
  await Promise.all(Array.from({ length: projects }, () => store.insert(project, { title: "Fence" })));
  for (const resource of [plain, keyed] as readonly Resource[])
    for (let written = 0; written < each; written += group)
      await Promise.all(
        Array.from({ length: group }, () =>
          store.insert(resource, { ...example, code: crypto.randomUUID(), project: 1 + Math.floor(Math.random() * projects) }),
        ),
      );
  // Otherwise the first start checks all records.
  await store.checkRecords(() => {});
  await store.close();
  return folder;
}
