// Histories of records on PostgreSQL: the same pages and versions as on SQLite, whatever else is in the log; and the export's reader.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource } from "warren/resource";
import type { HistoryReader } from "../src/store/history";
import { openDatabase } from "../src/store/postgres/connection/connection";
import type { Database } from "../src/store/postgres/connection/queries";
import { postgresHistory } from "../src/store/postgres/log/history";
import { readRecords } from "../src/store/postgres/records/records-reader";
import { keepResourceTables } from "../src/store/postgres/records/resource-tables";
import { migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { sqliteHistory } from "../src/store/sqlite/log/history";
import { migrate as migrateSqlite, storeMigrations as sqliteMigrations } from "../src/store/sqlite/schema/migrations";
import { blocksOf, explain, noting, type Statement } from "./support/explained";
import { replacePartitions } from "./support/partitions";
import { describeWithPostgres, usePostgres } from "./support/postgres";

setDefaultTimeout(60_000);

const named = (name: string) => defineResource({ name, fields: { title: Type.String() }, example: { title: "a" } });
const [part, order] = [named("part"), named("order")];
const kinds = ["created", "updated", "deleted", "erased"];
const prunedTo = 37;
/** A record with more events than one page searches, and few of another resource with its id among them. */
const busy = 99;

interface Row {
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly subject: number;
  readonly timestamp: string;
  readonly body: string;
}

function rows(): Row[] {
  const versions = new Map<string, number>();
  const event = (position: number, resource: string, kind: string, subject: number): Row => {
    const version = (versions.get(`${resource}/${subject}`) ?? 0) + (kind === "deleted" ? 0 : 1);
    if (kind !== "erased") versions.set(`${resource}/${subject}`, version);
    const type = `${resource}.${kind}`;
    const id = Bun.randomUUIDv7("hex", 1_700_000_000_000 + position);
    const record = kind === "erased" ? { id: subject } : { id: subject, title: `\0${"é".repeat(position % 40)}`, version };
    return {
      position,
      id,
      type,
      subject,
      timestamp: new Date(position).toISOString(),
      body: JSON.stringify({ id, type, version: 1, [resource]: record }),
    };
  };
  const mixed = Array.from({ length: 500 }, (_, n) =>
    event(n + 1 + Math.floor(n / 50), n % 3 ? "part" : "order", (n % 11 ? kinds[(n % 7) % 3] : "erased") as string, n % 5),
  );
  const long = Array.from({ length: 21_500 }, (_, n) => event(1000 + n, n % 7000 === 100 ? "part" : "order", "updated", busy));
  return [...mixed, ...long];
}

describeWithPostgres("histories", () => {
  const schema = usePostgres();
  let database: Database;
  let history: HistoryReader;
  const statements: Statement[] = [];
  const sqlite = new Sqlite(":memory:", { strict: true });
  const oracle = sqliteHistory;

  beforeAll(async () => {
    migrateSqlite(sqlite, "", sqliteMigrations);
    database = openDatabase(schema().address);
    await migrate(database, schema().address, storeMigrations);
    // Several small partitions.
    await replacePartitions(schema(), [600, 70], [30_000, 10_000]);
    const all = rows();
    const insert = sqlite.prepare("INSERT INTO events (position, id, type, subject, timestamp, body) VALUES (?, ?, ?, ?, ?, ?)");
    sqlite.transaction(() => {
      for (const row of all) insert.run(row.position, row.id, row.type, row.subject, row.timestamp, row.body);
    })();
    await database.writer.query(
      `INSERT INTO events (position, id, type, subject, timestamp, body)
       SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[])`,
      all.map((row) => row.position),
      all.map((row) => row.id),
      all.map((row) => row.type),
      all.map((row) => row.subject),
      all.map((row) => row.timestamp),
      all.map((row) => row.body),
    );
    sqlite.run(`DELETE FROM events WHERE position <= ${prunedTo}`);
    await schema().evaluate(`UPDATE meta SET pruned_to = ${prunedTo}`);
    history = postgresHistory(noting(database, statements));
  });
  afterAll(() => database.close());

  test("pages are those of SQLite, from any position, by number and by length", async () => {
    const wanted = fc.record({
      resource: fc.constantFrom(part, order),
      id: fc.integer({ min: 0, max: 6 }),
      before: fc.option(fc.integer({ min: 1, max: 600 }), { nil: undefined }),
      limit: fc.integer({ min: 1, max: 90 }),
      maxLength: fc.constantFrom(undefined, 1, 300, 5000),
    });
    await fc.assert(
      fc.asyncProperty(wanted, async ({ resource, id, before, limit, maxLength }) => {
        const page = { before, limit, ...(maxLength !== undefined && { maxLength }) };
        expect(await history.page(resource, id, page)).toEqual(await oracle(sqlite).page(resource, id, page));
      }),
      { numRuns: 300 },
    );
  });

  test("a history of more events than one page searches is read to its end", async () => {
    for (const resource of [part, order]) {
      const positions: number[] = [];
      for (let before: number | null | undefined, pages = 0; before !== null; pages += 1) {
        expect(pages).toBeLessThan(200);
        const { entries, next }: Awaited<ReturnType<HistoryReader["page"]>> = await history.page(resource, busy, { limit: 200, before });
        positions.push(...entries.map(({ position }) => position));
        before = next;
      }
      const expected = sqlite.query<{ position: number }, [string]>(
        `SELECT position FROM events WHERE subject = ${busy} AND type = ? ORDER BY position DESC`,
      );
      expect(positions).toEqual(expected.all(`${resource.name}.updated`).map(({ position }) => position));
    }
  });

  test("each version is found, and no other", async () => {
    for (const resource of [part, order])
      for (const id of [0, 1, 2, 3, 4, 5])
        for (let version = 0; version < 45; version += 4)
          expect([id, version, await history.version(resource, id, version)]).toEqual([
            id,
            version,
            await oracle(sqlite).version(resource, id, version),
          ]);
    expect(await history.version(part, busy, 3)).toMatchObject({ id: busy, version: 3 });
    expect((await history.version(order, busy, 17_000))?.version).toBe(17_000);
    expect(await history.version(order, busy, 30_000)).toBeUndefined();
  });

  test("a page and a version look at few pages of the disk", async () => {
    statements.length = 0;
    await history.page(order, busy, { limit: 20 });
    await history.version(order, busy, 9000);
    await history.page(part, 2, { limit: 20, before: 400 });
    for (const statement of [...statements]) expect(blocksOf(await explain(database, statement))).toBeLessThan(400);
  });

  test("the records of a schema can be read without a store; there are none of a table that does not exist", async () => {
    await keepResourceTables(database, schema().address, [part]);
    await schema().evaluate(`INSERT INTO parts SELECT n, 1, 1, '{"id":' || n || '}' FROM generate_series(1, 5) n`);
    const reader = await readRecords(schema().address);
    expect(await reader?.read(part, 2, 2)).toEqual([3, 4].map((id) => ({ id, version: 1, json: `{"id":${id}}` })));
    expect([await reader?.lastId(part), await reader?.lastId(order), await reader?.read(order, 0, 10)]).toEqual([5, 0, []]);
    reader?.close();
    expect(await readRecords({ ...schema().address, schema: "nowhere" })).toBeUndefined();
  });
});
