// Whatever processes of two versions of a program change at the same time, the entries of PostgreSQL's lists, references and unique keys agree with the records.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource, Nullable, type Resource } from "warren/resource";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { openPostgresStore } from "../src/store/postgres/store";
import type { Store } from "../src/store/store";
import { propertyFactor, runs } from "./support/in-full";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { wrongEntries } from "./support/postgres-records";

setDefaultTimeout(60_000 * propertyFactor);

const base = {
  name: "worker" as const,
  fields: {
    title: Type.String({ maxLength: 100 }),
    code: Nullable(Type.String()),
    boss: Nullable(Type.Integer()),
    likes: Type.Array(Type.Integer(), { default: [] }),
  },
  example: { title: "", code: null, boss: null, likes: [] },
};
const older = defineResource({ ...base, references: { boss: { to: "worker", onDelete: "null" } }, sort: ["title"] }) as Resource;
const newer = defineResource({
  ...base,
  unique: ["code"],
  references: { boss: { to: "worker", onDelete: "null" }, "likes[]": { to: "worker", onDelete: "cascade" } },
  filters: { likes: "contains", title: "prefix" },
  indexes: ["likes"],
  sort: [["title", "-createdAt"]],
  search: ["title"],
}) as Resource;

describeWithPostgres("entries", () => {
  const postgres = usePostgres();
  let database: Database;
  let stores: Store[];
  beforeAll(() => {
    database = openDatabase(postgres().address);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    stores = [];
    for (const resource of [older, newer, newer]) stores.push(await openPostgresStore(postgres().address, [resource]));
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
    await postgres().drop();
  });

  const action = fc.record({
    store: fc.nat({ max: 2 }),
    what: fc.constantFrom("insert", "update", "update", "remove"),
    id: fc.integer({ min: 1, max: 12 }),
    title: fc.array(fc.constantFrom("red", "Lamp", "lamp", "a"), { maxLength: 4 }).map((words) => words.join(" ")),
    code: fc.constantFrom("a", "b", "c", "d", null),
    boss: fc.option(fc.integer({ min: 1, max: 12 })),
    likes: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 2 }),
  });

  test("agree with the records after every group of changes, also for what only one version declares", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(action, { maxLength: 9 }), { maxLength: 6 }), async (groups) => {
        for (const group of groups) {
          const changes = group.map(({ store, what, id, ...fields }): Promise<unknown> => {
            const one = stores[store] as Store;
            const resource = store === 0 ? older : newer;
            if (what === "insert") return one.insert(resource, fields);
            return what === "remove" ? one.remove(resource, id) : one.update(resource, id, () => fields);
          });
          const outcomes = await Promise.allSettled(changes);
          const broken = outcomes.filter(
            (outcome) => outcome.status === "rejected" && !/InvalidRecord|Conflict/.test(String((outcome.reason as Error).name)),
          );
          expect(broken).toEqual([]);
          expect(await wrongEntries(database, [older])).toEqual([]);
        }
      }),
      runs(60),
    );
    const codes = await database.query(
      "SELECT json::json ->> 'code' AS code FROM workers WHERE json::json ->> 'code' IS NOT NULL GROUP BY 1 HAVING count(*) > 1",
    );
    expect(codes).toEqual([]);
  });
});
