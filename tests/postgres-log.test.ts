// The event log of PostgreSQL has for its readers what that of SQLite has, event by event.
import { Database as Sqlite } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { LogReader, Scan } from "../src/store/log";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { plainText } from "../src/store/postgres/connection/plain-text";
import type { Database } from "../src/store/postgres/connection/queries";
import { eventFinder } from "../src/store/postgres/log/event-finder";
import { logReader } from "../src/store/postgres/log/log-reader";
import { followLog } from "../src/store/postgres/log-follower";
import { migrate, storeMigrations } from "../src/store/postgres/schema/migrations";
import { eventFinder as sqliteFinder } from "../src/store/sqlite/log/event-record";
import { sqliteLogReader } from "../src/store/sqlite/log/log-reader";
import { migrate as migrateSqlite, storeMigrations as sqliteMigrations } from "../src/store/sqlite/schema/migrations";
import { runs } from "./support/in-full";
import { replacePartitions } from "./support/partitions";
import { describeWithPostgres, usePostgres } from "./support/postgres";

const types = ["item.created", "item.updated", "order.created", "erased"];
const owners = [null, "ada", "b\\b", "nul\0l"];
const scopes = [null, "north", "south"];
const events = 400;
const prunedTo = 23;

describeWithPostgres("the log", () => {
  const schema = usePostgres();
  let database: Database;
  let reader: LogReader;
  const sqlite = new Sqlite(":memory:", { strict: true });
  const oracle = () => sqliteLogReader(sqlite);
  const ids: string[] = [];

  beforeAll(async () => {
    migrateSqlite(sqlite, "", sqliteMigrations);
    database = openDatabase(schema().address);
    await migrate(database, schema().address, storeMigrations);
    await replacePartitions(schema(), [1000, 70]);
    const insert = sqlite.prepare(
      "INSERT INTO events (position, id, type, subject, timestamp, body, traceparent, requestId, requestedAt, owner, scope) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (let n = 1; n <= events; n += 1) {
      const position = n + Math.floor(n / 50);
      const id = Bun.randomUUIDv7("hex", 1_700_000_000_000 + n * 1000);
      ids.push(id);
      const row = [
        position,
        id,
        types[n % types.length] as string,
        n % 7,
        new Date(1_700_000_000_000 + Math.floor(n / 3) * 1000).toISOString(),
        `{"n":${n},"text":"${"é".repeat(n % 37)}"}`,
        n % 5 === 0 ? `00-${"a".repeat(32)}-${"b".repeat(16)}-01` : null,
        n % 4 === 0 ? `request-${n}` : null,
        n % 4 === 0 ? n : null,
      ] as const;
      const [owner, scope] = [owners[n % owners.length] ?? null, scopes[n % scopes.length] ?? null];
      insert.run(...row, owner, scope);
      await database.writer.query(
        `INSERT INTO events (position, id, type, subject, timestamp, body, traceparent, request_id, requested_at, owner, scope)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        ...row,
        owner && plainText(owner),
        scope,
      );
    }
    sqlite.run(`DELETE FROM events WHERE position <= ${prunedTo}`);
    sqlite.run("UPDATE relay SET position = 300; INSERT INTO relay_times VALUES (100, 7), (300, 9)");
    await schema().evaluate(
      `UPDATE meta SET pruned_to = ${prunedTo}; UPDATE relay SET position = 300; INSERT INTO relay_times VALUES (100, 7), (300, 9)`,
    );
    reader = logReader(database);
  });
  afterAll(() => database.close());

  const position = fc.integer({ min: 0, max: 420 });
  const someTypes = fc.option(fc.subarray(types));
  const group = fc.record({
    types: fc.subarray(types),
    owner: fc.constantFrom(undefined, "ada", "b\\b", "nul\0l", "nobody"),
    scope: fc.constantFrom(undefined, "north", "south"),
  });
  const scan: fc.Arbitrary<Scan> = fc.record({
    types: someTypes,
    subject: fc.option(fc.integer({ min: 0, max: 8 })),
    visible: fc.option(fc.array(group, { maxLength: 3 }), { nil: undefined }),
    limit: fc.integer({ min: 1, max: 60 }),
    maxLength: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant(Number.POSITIVE_INFINITY)),
  });

  test("is read from any position", async () => {
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 100 }), async (after, limit) => {
        expect(await reader.read(after, limit)).toEqual(await oracle().read(after, limit));
      }),
      runs(50),
    );
  });

  test("is searched for types, subjects and what an actor may see, up to a number and a length", async () => {
    await fc.assert(
      fc.asyncProperty(position, scan, async (after, wanted) => {
        expect(await reader.scan(after, wanted)).toEqual(await oracle().scan(after, wanted));
      }),
      runs(400),
    );
  });

  test("is searched newest first, too", async () => {
    await fc.assert(
      fc.asyncProperty(position, scan, async (before, wanted) => {
        expect(await reader.scanBack(before, wanted)).toEqual(await oracle().scanBack(before, wanted));
      }),
      runs(400),
    );
  });

  test("has the same end, beginning and places of times", async () => {
    expect([await reader.end(), await reader.pruned()]).toEqual([await oracle().end(), await oracle().pruned()]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -5, max: 150 }), async (second) => {
        const time = new Date(1_700_000_000_000 + second * 1000).toISOString();
        // SQLite has nothing before the first event, where a pruned position is the end of what is before.
        expect(await reader.positionBefore(time)).toBe(Math.max(prunedTo, await oracle().positionBefore(time)));
      }),
      runs(50),
    );
  });

  test("has each event by its id, with its request and its delivery", async () => {
    const [find, found] = [eventFinder(database), sqliteFinder(sqlite)];
    for (const id of [...ids, crypto.randomUUID(), Bun.randomUUIDv7(), "no id"]) expect(await find(id)).toEqual(await found(id));
  });

  test("has it all for another process, which is told of what is added", async () => {
    const log = await followLog(schema().address);
    if (!log) throw new Error("The log is not there.");
    expect([await log.read(0, 1000), await log.end(), await log.relayed()]).toEqual([await reader.read(0, 1000), await reader.end(), 300]);
    const heard = Promise.withResolvers<void>();
    const looks: Promise<void>[] = [];
    log.notifier(() => void looks.push(log.end().then((end) => void (end === 500 && heard.resolve()))));
    await schema().evaluate(
      "INSERT INTO events (position, id, type, subject, timestamp, body) VALUES (500, gen_random_uuid(), 'item.created', 1, '2026-02-18', '{}')",
    );
    await heard.promise;
    expect(log.isReplaced()).toBe(false);
    // It may be told twice of the same. What still looks would fail by the end of its connection.
    log.notifier(() => {});
    await Promise.all(looks);
    log.close();
  });
});

describeWithPostgres("a log that no API has made", () => {
  const schema = usePostgres();

  test("is not there", async () => {
    expect(await followLog(schema().address)).toBeUndefined();
  });
});
