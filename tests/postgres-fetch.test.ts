// What a group of changes reads on PostgreSQL: all that one run lacks is read at once, not one thing after the other.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Conflict } from "warren/action";
import { defineResource, Nullable } from "warren/resource";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database, Queries } from "../src/store/postgres/connection/queries";
import type { RecordStore } from "../src/store/postgres/record-store";
import type { Store } from "../src/store/store";
import { describeWithPostgres } from "./support/postgres";
import { openRecordStore } from "./support/postgres-record-store";
import { useStores } from "./support/use-stores";

setDefaultTimeout(60_000);

const desk = defineResource({ name: "desk", fields: { floor: Type.Integer() }, example: { floor: 1 } });
const guest = defineResource({
  name: "guest",
  fields: { badge: Type.String(), team: Type.Integer(), desk: Nullable(Type.Integer()) },
  unique: ["badge"],
  filters: { team: "exact" },
  indexes: ["team"],
  references: { desk: { to: "desk", onDelete: "null" } },
  example: { badge: "a", team: 1, desk: null },
});
const many = 40;

describeWithPostgres("the reads of a group of changes", () => {
  const { stores, schema } = useStores(1, [desk, guest]);
  const [store] = stores as [Store];
  let records: RecordStore;
  let database: Database;
  const statements: string[] = [];
  beforeEach(async () => {
    database = openDatabase(schema().address);
    const counted = (queries: Queries): Queries["query"] => {
      return (sql, ...values) => {
        statements.push(sql);
        return queries.query(sql, ...values);
      };
    };
    const transaction: Database["transaction"] = (work, options) =>
      database.transaction((queries) => work({ ...queries, query: counted(queries) }), options);
    records = await openRecordStore({ ...database, query: counted(database), transaction }, schema().address.schema, [desk, guest]);
  });
  afterEach(async () => {
    await records.close();
    await database.close();
  });
  const insertMany = async () => {
    for (const each of Array.from({ length: many }, (_, index) => index)) {
      await store.insert(desk, { floor: each });
      await store.insert(guest, { badge: `b${each}`, team: 1, desk: each + 1 });
    }
  };

  test("of a transaction that has read a list are few statements, though it holds the commit lock", async () => {
    await insertMany();
    const changed = await records.transaction(async (tx) => {
      const guests = await tx.list(guest, { team: 1 });
      statements.length = 0;
      for (const { id, badge } of guests) await tx.update(guest, id, { badge: `${badge} new`, team: 1, desk: ((id + 1) % many) + 1 });
      return guests.length;
    });
    expect(changed).toBe(many);
    expect(statements.length).toBeLessThan(12);
  });
  test("of an import are few statements, whether its records are new, there already or were deleted", async () => {
    await insertMany();
    await store.remove(guest, 3);
    statements.length = 0;
    const imported = Array.from({ length: 2 * many }, (_, index) => ({
      id: index + 1,
      fields: { badge: `b${index}`, team: 1, desk: (index % many) + 1 },
    }));
    const outcomes = await records.importEach(guest, imported);
    expect(statements.length).toBeLessThan(12);
    expect(outcomes.filter((outcome) => outcome === "present")).toHaveLength(many - 1);
    expect(outcomes[2]).toBeInstanceOf(Conflict);
    expect(outcomes.slice(many).every((outcome) => typeof outcome === "object" && "json" in outcome)).toBe(true);
  });
});
