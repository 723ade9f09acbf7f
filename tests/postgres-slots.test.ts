// What PostgreSQL keeps for lists, references and unique keys: made for what is declared, also by other versions of the program, and dropped when nobody declares it.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable, type Resource } from "warren/resource";
import { StoreUnavailable } from "../src/store/errors";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { keepResourceTables } from "../src/store/postgres/records/resource-tables";
import { migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { Declarations } from "../src/store/postgres/slots/declarations";
import { testInFull } from "./support/in-full";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { type TestRecord, writeRecords, wrongEntries } from "./support/postgres-records";
import { eventually } from "./support/processes";
import { rejection } from "./support/rejection";

// Thousands of records take their time on a busy machine.
setDefaultTimeout(60_000);

const fields = {
  title: Type.String({ maxLength: 200 }),
  code: Nullable(Type.String()),
  parent: Nullable(Type.Integer()),
  tags: Type.Array(Type.String()),
};
const example = { title: "Door", code: null, parent: null, tags: [] };
const base = { name: "part" as const, fields, example };
const plain = defineResource(base);
const rich = defineResource({
  ...base,
  unique: ["code"],
  references: { parent: { to: "part" } },
  filters: { title: "prefix", tags: "contains" },
  indexes: ["title", "tags"],
  sort: [["title", "-createdAt"]],
  search: ["title"],
});

const time = "2026-01-01T00:00:00.000Z";
const part = (id: number, more: Partial<typeof example> | object = {}): TestRecord => ({
  id,
  version: 1,
  ...{ ...example, title: `Door ${id}` },
  ...{ createdAt: time, updatedAt: time },
  ...more,
});

describeWithPostgres("slots", () => {
  const postgres = usePostgres();
  let database: Database;
  const opened: Declarations[] = [];
  beforeEach(async () => {
    database = openDatabase(postgres().address);
    await migrate(database, postgres().address, storeMigrations);
  });
  afterEach(async () => {
    for (const declarations of opened.splice(0)) await declarations.close();
    await database.close();
    await postgres().drop();
  });

  const open = async (resource: Resource, onBuilt?: (title: string, records: number) => void) => {
    await keepResourceTables(database, postgres().address, [resource]);
    const declarations = await Declarations.open(database, postgres().address, [resource], onBuilt);
    opened.push(declarations);
    return declarations;
  };
  const write = ({ slots }: Declarations, changes: Parameters<typeof writeRecords>[3]) => writeRecords(database, slots, plain, changes);
  const add = (declarations: Declarations, records: readonly TestRecord[]) =>
    write(
      declarations,
      records.map((after) => ({ after })),
    );

  /** Returns the entries that do not follow from the records. */
  const wrong = () => wrongEntries(database, [plain]);
  const amount = async () => (await database.query("SELECT 1 FROM warren_entries")).length;
  const kinds = ({ slots }: Declarations) => slots.of(plain).map(({ definition }) => definition.kind);

  test("an empty database has all that is declared at once; each record has its entries", async () => {
    const declarations = await open(rich);
    expect(kinds(declarations).sort()).toEqual(["elements", "list", "list", "list", "list", "reference", "unique", "words"]);
    expect(declarations.slots.of(rich).every(({ isFilled }) => isFilled)).toBe(true);
    await add(declarations, [part(1, { tags: ["a", "b", "a"], code: "x" }), part(2, { parent: 1 })]);
    await write(declarations, [
      { before: part(1, { tags: ["a", "b", "a"], code: "x" }), after: part(1, { title: "Gate gate", code: "y" }) },
    ]);
    expect(await wrong()).toEqual([]);
    expect(declarations.slots.uniqueKeys(rich).map(({ key }) => key.name)).toEqual(["code"]);
  });

  testInFull("what is declared later is made of the records there are, with progress, while an older process goes on writing", async () => {
    const old = await open(plain);
    await add(
      old,
      Array.from({ length: 12_000 }, (_, index) =>
        part(index + 1, { code: `c${index}`, tags: index % 2 ? ["odd"] : [], parent: index || null }),
      ),
    );
    const told: string[] = [];
    let changed: Promise<void> | undefined;
    const now = await open(rich, (title, records) => {
      told.push(`${title} ${records}`);
      // The older process learns of the new slots from a commit that is refused.
      changed ??= old.slots
        .reload(database)
        .then(() =>
          write(old, [
            { before: part(11_999, { code: "c11998", parent: 11_998 }), after: part(11_999, { code: "new", tags: ["late"] }) },
            { before: part(12_000, { code: "c11999", tags: ["odd"], parent: 11_999 }) },
            { after: part(12_001, { code: "c11999" }) },
          ]),
        );
    });
    await changed;
    expect(told).toEqual(
      ['unique key "code"', 'reference "parent"', 'index "title"', 'index "title,-createdAt"', 'index "tags"']
        .map((what) => `The ${what.replace("title,-createdAt", "-title,createdAt")} of "part" 10000`)
        .concat('The search of "part" 10000'),
    );
    expect(await amount()).toBeGreaterThan(80_000);
    expect(await wrong()).toEqual([]);
    expect(now.slots.version).toBeGreaterThan(1);
  });

  testInFull("a start that is interrupted goes on where it was", async () => {
    const old = await open(plain);
    await add(
      old,
      Array.from({ length: 11_500 }, (_, index) => part(index + 1)),
    );
    const stop = (_: string, records: number) => {
      if (records === 10_000) throw new Error("stop");
    };
    await expect(open(rich, stop)).rejects.toThrow("stop");
    const [unfilled] = await database.query<{ filled_to: number }>(
      "SELECT DISTINCT filled_to, last_id FROM warren_slots WHERE filled_to < last_id AND NOT is_dropped",
    );
    expect(unfilled).toMatchObject({ last_id: 11_500 });
    // The last parts may have been under way.
    expect(unfilled?.filled_to).toBeGreaterThan(5000);
    await open(rich);
    expect(await wrong()).toEqual([]);
  });

  testInFull("of two processes that start with something new, one makes it, and both wait for it", async () => {
    await add(
      await open(plain),
      Array.from({ length: 3000 }, (_, index) => part(index + 1)),
    );
    const both = await Promise.all([open(rich), open(rich)]);
    for (const { slots } of both) expect(slots.of(rich).every(({ isFilled }) => isFilled)).toBe(true);
    expect(await wrong()).toEqual([]);
    expect(await database.query("SELECT resource, definition FROM warren_slots GROUP BY 1, 2 HAVING count(*) > 1")).toEqual([]);
  });

  test("what no process declares any more is dropped at the next start; what another one declares is kept, and written", async () => {
    const [first, second] = [await open(rich), await open(rich)];
    await add(first, [part(1, { code: "a" })]);
    const newer = await open(plain);
    expect(kinds(newer)).toContain("unique");
    await add(newer, [part(2, { code: "b" })]);
    expect(await wrong()).toEqual([]);
    await first.close();
    expect(kinds(await open(plain))).toContain("words");
    await second.close();
    const last = await open(plain);
    expect(kinds(last)).toEqual(["list", "list"]);
    const dropped = () => database.query("SELECT 1 FROM warren_slots WHERE is_dropped");
    await eventually(async () => (await dropped()).length === 0 || undefined, "the entries to be deleted");
    expect(await wrong()).toEqual([]);
  });

  test("a process that was suspended for so long that others dropped what it declares refuses changes, and makes it again", async () => {
    const suspended = await open(rich);
    await add(suspended, [part(1, { code: "a" })]);
    await postgres().evaluate("UPDATE warren_programs SET seen_at = now() - interval '2 minutes'");
    const other = await open(plain);
    expect(kinds(other)).toEqual(["list", "list"]);
    await add(other, [part(2, { code: "b" })]);
    expect(await rejection(suspended.slots.reload(database))).toBeInstanceOf(StoreUnavailable);
    const isBack = async () =>
      suspended.slots.reload(database).then(
        () => true,
        () => undefined,
      );
    await eventually(
      async () => ((await isBack()) && suspended.slots.of(rich).every(({ isFilled }) => isFilled)) || undefined,
      "the slots to be filled",
    );
    expect(new Set(kinds(suspended)).size).toBe(5);
    const dropped = () => database.query("SELECT 1 FROM warren_slots WHERE is_dropped");
    await eventually(async () => (await dropped()).length === 0 || undefined, "the entries to be deleted");
    expect(await wrong()).toEqual([]);
  });

  test("records that break a declaration refuse the start, which names some; without the declaration, the next one starts", async () => {
    const old = await open(plain);
    await add(
      old,
      Array.from({ length: 9 }, (_, index) => part(index + 1, { code: index < 7 ? "same" : null, parent: index === 8 ? 77 : null })),
    );
    await old.close();
    const { message } = await rejection(open(rich));
    expect(message.split("\n")).toEqual([
      'The unique key "code" of "part" does not hold for stored records:',
      ...[2, 3, 4, 5, 6].map((id) => `  part 1 and part ${id} are equal`),
      "  and possibly more",
      expect.stringContaining("Start the service without this unique key"),
      'The reference "parent" of "part" does not hold for stored records:',
      "  part 9: there is no part 77",
      expect.stringContaining("Start the service without this reference"),
    ]);
    expect(kinds(await open(plain))).toEqual(["list", "list"]);
  });

  test("a changed plural is refused while the records are in the earlier table", async () => {
    await add(await open(plain), [part(1)]);
    const renamed = defineResource({ ...base, plural: "pieces" });
    expect((await rejection(open(renamed))).message).toContain('its records are in a table with the earlier plural ("parts")');
  });

  test("a role that may not create tables starts if they are there, and says what is missing if not", async () => {
    await open(plain);
    const { name, address } = postgres();
    const role = `${name}_runner`;
    await postgres().evaluate(
      `CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA "${name}" TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${name}" TO ${role};
       GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA "${name}" TO ${role}`,
    );
    const limited = { ...address, user: role };
    const other = openDatabase(limited);
    try {
      // Declares more than there is, which needs no other table.
      await keepResourceTables(other, limited, [rich]);
      await (await Declarations.open(other, limited, [rich])).close();
      const box = defineResource({ name: "box", plural: "boxes", fields: { title: Type.String() }, example: { title: "a" } });
      const { message } = await rejection(keepResourceTables(other, limited, [plain, box]));
      expect(message).toContain(`The role "${role}" may not create tables in the schema "${name}"`);
      expect(message).toContain('which lacks "boxes"');
      expect(message).toContain('CREATE TABLE "boxes" (id bigint PRIMARY KEY');
    } finally {
      await other.close();
      await postgres().evaluate(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});
