// A newer version of the program starts beside a running older one, on the same PostgreSQL schema.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, pastVersion, type Resource } from "warren/resource";
import { StoreUnavailable } from "../../src/store/errors";
import { openStore } from "../../src/store/open";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import type { Database } from "../../src/store/postgres/connection/queries";
import { lockKey } from "../../src/store/postgres/schema/migrations";
import { upcastOutdated } from "../../src/store/postgres/upcasts";
import type { Store } from "../../src/store/store";
import { describeWithPostgres, type PostgresSchema, schemaIn, sharedPostgres } from "../support/postgres";
import { openRecordStore } from "../support/postgres-record-store";
import { wrongEntries } from "../support/postgres-records";
import { rejection } from "../support/rejection";

/** Prices in whole units, then in cents, found by an index of the same name. */
const declared = { name: "toy", filters: { price: "exact" }, indexes: ["price"] } as const;
const older = defineResource({ ...declared, fields: { price: Type.Integer() }, example: { price: 1 } });
const newer = defineResource({
  ...declared,
  fields: { price: Type.Integer(), code: Type.Union([Type.String(), Type.Null()]) },
  unique: ["code"],
  example: { price: 100, code: null },
  past: [
    pastVersion({
      fields: { price: Type.Integer() },
      up({ price }) {
        if (price < 0) throw new Error("less than nothing");
        return { price: price * 100, code: null };
      },
    }),
  ],
});

setDefaultTimeout(60_000);

describeWithPostgres("a rolling update", () => {
  let schema: PostgresSchema;
  let database: Database;
  const opened: Store[] = [];
  beforeEach(async () => {
    schema = schemaIn(await sharedPostgres(), `rolling_${Math.random().toString(36).slice(2)}`);
    database = openDatabase(schema.address);
  });
  afterEach(async () => {
    await database.close();
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await schema.drop();
  });
  const open = async (resource: Resource) => {
    const store = await openStore({ database: schema.address }, [resource]);
    opened.push(store);
    return store;
  };
  const fieldsOf = async (store: Store, resource: Resource, id: number) => {
    const { price, code, version } = JSON.parse((await store.get(resource, id))?.json ?? "{}") as Record<string, unknown>;
    return { price, code, version };
  };
  const entries = () =>
    schema.evaluate<{ id: string; key: string }>(
      `SELECT e.id, e.key FROM warren_entries e JOIN warren_slots s USING (slot) WHERE s.definition LIKE '%"path":"price"%' ORDER BY e.id, e.key`,
    );
  const shapes = async () => (await schema.evaluate<{ shape: number }>('SELECT shape FROM "toys" ORDER BY id')).map(({ shape }) => shape);

  test("finds the records of the older program converted, while that one goes on writing", async () => {
    const old = await open(older);
    await Promise.all(Array.from({ length: 1200 }, (_, index) => old.insert(older, { price: index })));
    let isStarted = false;
    const writing = (async () => {
      const ids: number[] = [];
      while (!isStarted) ids.push((await old.insert(older, { price: 7 })).id);
      return ids;
    })();
    const fresh = await open(newer);
    isStarted = true;
    const [first = 0, ...others] = await writing;
    expect(await fieldsOf(fresh, newer, 1000)).toEqual({ price: 99_900, code: null, version: 1 });
    for (const id of [first, ...others]) expect(await fieldsOf(fresh, newer, id)).toMatchObject({ price: 700, code: null });
    expect((await shapes()).slice(0, 1200).every((shape) => shape === 2)).toBe(true);
  });

  test("converts what the older program still writes when it is read, changed, and soon by itself", async () => {
    const old = await open(older);
    const fresh = await open(newer);
    const [{ id: read }, { id: changed }] = [await old.insert(older, { price: 3 }), await old.insert(older, { price: 4 })];
    expect(await fieldsOf(fresh, newer, read)).toEqual({ price: 300, code: null, version: 1 });
    await fresh.update(newer, changed, (current) => ({ ...current, code: "x" }));
    expect(await fieldsOf(fresh, newer, changed)).toEqual({ price: 400, code: "x", version: 2 });
    expect(await shapes()).toEqual([1, 2]);
    // The next process that starts does it, too.
    await open(newer);
    expect(await shapes()).toEqual([2, 2]);
    expect(await fieldsOf(fresh, newer, read)).toEqual({ price: 300, code: null, version: 1 });
    expect(await schema.evaluate("SELECT id FROM warren_outdated")).toHaveLength(0);
  });

  test("keeps one entry of each record in an index that both versions have", async () => {
    const old = await open(older);
    const { id } = await old.insert(older, { price: 3 });
    const fresh = await open(newer);
    expect(await entries()).toHaveLength(1);
    const { id: late } = await old.insert(older, { price: 4 });
    await fresh.update(newer, late, (current) => ({ ...current, price: 5 }));
    await fresh.update(newer, id, (current) => ({ ...current, price: 6 }));
    expect((await entries()).map((entry) => Number(entry.id))).toEqual([id, late]);
  });

  test("keeps no entry of the earlier form of a record that another process converts after a transaction has read it", async () => {
    const old = await open(older);
    const fresh = await open(newer);
    const { id } = await old.insert(older, { price: 3 });
    await fresh.transaction(async (tx) => {
      const toy = await tx.get(newer, id);
      // Converts the record, which keeps its version.
      await open(newer);
      await tx.update(newer, id, { code: toy?.code ?? null, price: 500 });
    });
    expect(await fieldsOf(fresh, newer, id)).toEqual({ price: 500, code: null, version: 2 });
    expect(await wrongEntries(database, [newer])).toEqual([]);
  });

  test("does not overwrite a record that was converted after the older program has read it", async () => {
    const old = await open(older);
    const { id } = await old.insert(older, { price: 3 });
    const update = old.transaction(async (tx) => {
      const toy = await tx.get(older, id);
      await open(newer);
      await tx.update(older, id, { price: (toy?.price ?? 0) + 1 });
    });
    expect(await rejection(update)).toBeInstanceOf(StoreUnavailable);
    expect(await shapes()).toEqual([2]);
    expect(await wrongEntries(database, [newer])).toEqual([]);
  });

  test("leaves what the older program writes to the newer one to convert", async () => {
    const old = await open(older);
    const fresh = await open(newer);
    const { id } = await old.insert(older, { price: 3 });
    const late = await openRecordStore(database, schema.address.schema, [older]);
    await upcastOutdated({ ...late, database, lock: lockKey(schema.address.schema, "commit") });
    expect(await schema.evaluate("SELECT id FROM warren_outdated")).toHaveLength(1);
    await open(newer);
    expect(await shapes()).toEqual([2]);
    expect(await fieldsOf(fresh, newer, id)).toEqual({ price: 300, code: null, version: 1 });
  });

  test("lets the older program neither change nor lose what the newer one has written", async () => {
    const old = await open(older);
    const { id } = await old.insert(older, { price: 3 });
    const fresh = await open(newer);
    await fresh.update(newer, id, (current) => ({ ...current, code: "kept" }));
    for (const change of [
      () => old.update(older, id, (current) => ({ ...current, price: 9 })),
      () => old.remove(older, id),
      () => old.transaction((tx) => tx.update(older, id, { price: 9 })),
    ]) {
      expect(await rejection(change())).toBeInstanceOf(StoreUnavailable);
    }
    expect(await fieldsOf(fresh, newer, id)).toEqual({ price: 300, code: "kept", version: 2 });
    // Others of its changes are not affected.
    expect(await old.insert(older, { price: 5 })).toMatchObject({ version: 1 });
  });

  test("holds a unique key of the newer program in the older one, too", async () => {
    const keyed = defineResource({ ...declared, fields: { price: Type.Integer() }, unique: ["price"], example: { price: 1 } });
    const old = await open(older);
    const fresh = await open(keyed);
    await fresh.insert(keyed, { price: 5 });
    expect((await rejection(old.insert(older, { price: 5 }))).name).toBe("Conflict");
    await old.insert(older, { price: 6 });
    expect((await rejection(fresh.insert(keyed, { price: 6 }))).name).toBe("Conflict");
  });

  test("does not fail a read because of another record, which cannot be converted", async () => {
    const old = await open(older);
    const fresh = await open(newer);
    const [{ id: bad }, { id: good }] = [await old.insert(older, { price: -1 }), await old.insert(older, { price: 1 })];
    const outcomes = await Promise.allSettled([bad, good].map((id) => fresh.get(newer, id)));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });

  test("does not fail a change because of another one, of a record that cannot be converted", async () => {
    const old = await open(older);
    const fresh = await open(newer);
    const { id } = await old.insert(older, { price: -1 });
    const changes = [fresh.insert(newer, { price: 1, code: null }), fresh.update(newer, id, (current) => current)];
    const [inserted, updated] = await Promise.allSettled(changes);
    expect(inserted?.status).toBe("fulfilled");
    expect(updated).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("toy 1 cannot be converted") } });
  });

  test("converts the others of the records that the older program still writes, and says which one cannot be converted", async () => {
    const old = await open(older);
    await open(newer);
    for (const price of [1, -1, 2]) await old.insert(older, { price });
    expect((await rejection(open(newer))).message).toContain("toy 2 cannot be converted to the newest schema");
    expect(await shapes()).toEqual([2, 1, 2]);
  });

  test("is refused if a record cannot be converted, and nothing is changed", async () => {
    const old = await open(older);
    await old.insert(older, { price: 1 });
    await old.insert(older, { price: -1 });
    expect((await rejection(open(newer))).message).toContain("toy 2 cannot be converted to the newest schema; nothing was changed");
    expect(await shapes()).toEqual([1, 1]);
    expect(await old.update(older, 1, (current) => ({ ...current, price: 2 }))).toMatchObject({ version: 2 });
  });

  describe("whose older program has ended", () => {
    const functions = async () => {
      const found =
        "SELECT proname AS name FROM pg_proc WHERE proname LIKE 'warren_commit_%' AND pronamespace = current_schema()::regnamespace";
      return (await schema.evaluate<{ name: string }>(found)).map(({ name }) => name);
    };
    const passDays = () => schema.evaluate("UPDATE warren_commit_functions SET used_at = used_at - interval '2 days'");

    test("keeps its commit function for a day, and drops it then", async () => {
      const old = await open(older);
      const [made = ""] = await functions();
      await old.close();
      const fresh = await open(newer);
      expect(await functions()).toHaveLength(2);
      expect(await functions()).toContain(made);
      await passDays();
      await open(newer);
      expect(await functions()).toHaveLength(1);
      expect(await functions()).not.toContain(made);
      expect(await fresh.insert(newer, newer.example)).toMatchObject({ version: 1 });
    });

    test.each(["insert", "erase"] as const)("lets a process of it go on that was suspended for days: %s", async (method) => {
      const old = await open(older);
      const { id } = await old.insert(older, older.example);
      await passDays();
      // Its function differs, and it leaves the record as it is.
      await open(defineResource({ ...declared, name: "puzzle", fields: { price: Type.Integer() }, example: { price: 1 } }));
      expect(await functions()).toHaveLength(1);
      if (method === "insert") expect(await old.insert(older, older.example)).toMatchObject({ version: 1 });
      else expect(await old.erase(older, id)).toBeDefined();
      expect(await functions()).toHaveLength(2);
    });
  });

  test("keeps an older program from starting", async () => {
    await open(newer);
    expect((await rejection(open(older))).message).toBe(
      'The records of "toy" have schema version 2, but this program knows versions up to 1: they were last used by a newer version of the ' +
        "program. Start that version, or set another database in DATABASE_URL.",
    );
  });
});
