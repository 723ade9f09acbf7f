// The log of PostgreSQL in small partitions: those that are kept ready, and those that are dropped.
import { expect, test } from "bun:test";
import { soleLeadership } from "../src/store/leadership";
import type { Database } from "../src/store/postgres/connection/queries";
import { addPartitions, keepPartitions, partitionProblem } from "../src/store/postgres/log/partitions";
import { pruner, usualGraceMs } from "../src/store/postgres/log/prune";
import { replacePartitions } from "./support/partitions";
import { describeWithPostgres } from "./support/postgres";
import { usePostgresTables } from "./support/postgres-schema";
import { eventually } from "./support/processes";

const width = 100;
const dayMs = 24 * 3_600_000;
const early = "2026-01-01T00:00:00.000Z";
const late = "2026-02-01T00:00:00.000Z";
const between = "2026-01-20T00:00:00.000Z";
const future = "2999-01-01T00:00:00.000Z";
/** Half a day after the early events. */
const shortly = "2026-01-01T12:00:00.000Z";

describeWithPostgres("the partitions of the log", () => {
  const { schema, open, append } = usePostgresTables();
  const partitions = async () =>
    (await schema().evaluate<{ first: number }>("SELECT first::int FROM warren_partitions ORDER BY first")).map(({ first }) => first);
  const stored = async () => (await schema().evaluate<{ events: number }>("SELECT count(*)::int AS events FROM events"))[0]?.events;
  const prunedTo = async () => (await schema().evaluate<{ to: number }>(`SELECT pruned_to::int AS "to" FROM meta`))[0]?.to;

  /** Replaces the partitions by three small ones. */
  async function small(): Promise<Database> {
    const database = open();
    await replacePartitions(schema(), [300, width]);
    return database;
  }

  /** Prunes as retention does, until nothing is left to do. Resolves with the numbers of events. */
  async function pruneAll(database: Database, before: string, position = Number.POSITIVE_INFINITY, graceMs = dayMs) {
    const prune = pruner(database, () => graceMs);
    const counts: number[] = [];
    for (let count = -1; count !== 0; counts.push(count)) count = await prune(before, position);
    return counts;
  }

  test("are two ahead of the end, by whoever leads", async () => {
    const database = await small();
    expect(await partitions()).toEqual([1, 101, 201]);
    const stop = new AbortController();
    const kept = keepPartitions(database, soleLeadership(stop.signal), width);
    await append(150);
    expect(await partitionProblem(database, width)).toBeUndefined();
    stop.abort();
    await kept;
    const again = new AbortController();
    const keptAgain = keepPartitions(database, soleLeadership(again.signal), width);
    await eventually(async () => ((await partitions()).length === 4 ? true : undefined), "another partition");
    again.abort();
    await keptAgain;
    expect(await partitions()).toEqual([1, 101, 201, 301]);
  });

  test("are a problem when there are fewer, which is solved by adding them", async () => {
    const database = await small();
    await append(250);
    expect(await partitionProblem(database, width)).toBe(
      "The event log has room for only 50 more events before each change has to add a partition by itself.",
    );
    await addPartitions(database, width);
    expect([await partitions(), await partitionProblem(database, width)]).toEqual([[1, 101, 201, 301, 401], undefined]);
  });

  test("are dropped whole when all of their events are pruned, and leave no dead rows", async () => {
    const database = await small();
    await append(150, early);
    await append(100, late);
    await addPartitions(database, width);
    expect(await pruneAll(database, shortly)).toEqual([150, 0]);
    expect([await prunedTo(), await partitions(), await stored()]).toEqual([150, [101, 201, 301, 401], 150]);
    const [dead] = await schema().evaluate<{ dead: number }>(
      "SELECT pg_stat_force_next_flush(), coalesce(sum(n_dead_tup), 0)::int AS dead FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname LIKE 'warren_events_%'",
    );
    expect(dead?.dead).toBe(0);
    expect(await pruneAll(database, future)).toEqual([100, 0]);
    expect([await prunedTo(), await partitions()]).toEqual([250, [201, 301, 401]]);
  });

  test("of a small log lose their events some time after these were pruned", async () => {
    const database = await small();
    await append(30, early);
    await append(30, late);
    expect(await pruneAll(database, shortly)).toEqual([30, 0]);
    expect([await prunedTo(), await stored()]).toEqual([30, 60]);
    expect(await pruneAll(database, between)).toEqual([0]);
    expect([await prunedTo(), await stored(), await partitions()]).toEqual([30, 30, [1, 101, 201]]);
  });

  test("lose their events one to seven days after these were pruned, by the age at which that is", () => {
    const now = Date.parse("2026-03-02T00:00:00.000Z");
    const daysAfter = (age: number) => usualGraceMs(new Date(now - age * dayMs).toISOString(), now) / dayMs;
    expect([30, 365, 10, 1].map(daysAfter)).toEqual([3, 7, 1, 1]);
  });

  test("keep a beginning of the log whole, even if the clock was set back", async () => {
    const database = await small();
    await append(10, early);
    await append(1, late);
    await append(10, early);
    expect(await pruneAll(database, between)).toEqual([10, 0]);
    expect([await prunedTo(), await stored()]).toEqual([10, 11]);
  });

  test("keep what is behind a position", async () => {
    const database = await small();
    await append(250, early);
    expect(await pruneAll(database, future, 120, 0)).toEqual([120, 0]);
    expect([await prunedTo(), await partitions(), await stored()]).toEqual([120, [101, 201], 130]);
  });

  test("are pruned in bounded parts", async () => {
    const database = open();
    await append(25_000, early);
    expect(await pruneAll(database, future, Number.POSITIVE_INFINITY, 0)).toEqual([10_000, 10_000, 5000, 0]);
    expect(await stored()).toBe(0);
    expect(await partitions()).toHaveLength(2);
  });

  test("stay while somebody reads them for long, and are dropped the next time", async () => {
    const database = await small();
    await append(150, early);
    const release = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const backup = open().transaction(async ({ query }) => {
      await query("SELECT count(*) FROM events");
      reading.resolve();
      await release.promise;
    });
    await reading.promise;
    expect(await pruneAll(database, future, 120)).toEqual([120, 0]);
    expect(await partitions()).toEqual([1, 101, 201]);
    // Others write and read meanwhile.
    await append(1, late);
    release.resolve();
    await backup;
    await pruneAll(database, future, 120);
    expect(await partitions()).toEqual([101, 201]);
  });

  test("lose the times of the relay with their events", async () => {
    const database = await small();
    await append(150, early);
    await schema().evaluate("UPDATE relay SET position = 140; INSERT INTO relay_times VALUES (50, 1), (100, 2), (120, 3), (140, 4)");
    await pruneAll(database, future, 110);
    expect(await schema().evaluate("SELECT position::int FROM relay_times ORDER BY position")).toEqual([
      { position: 120 },
      { position: 140 },
    ]);
  });

  test("can be dropped and added by a role that may only read and write", async () => {
    await small();
    const { name } = schema();
    await append(150, early);
    await schema().evaluate(
      `CREATE ROLE "${name}" LOGIN; GRANT USAGE ON SCHEMA "${name}" TO "${name}"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${name}" TO "${name}";
       GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA "${name}" TO "${name}"; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA "${name}" TO "${name}"`,
    );
    const database = open();
    await database.writer.query(`SET ROLE "${name}"`);
    await pruneAll(database, future, 100);
    await addPartitions(database, width);
    expect(await partitions()).toEqual([101, 201, 301]);
    await database.writer.query("RESET ROLE");
    await schema().evaluate(`DROP OWNED BY "${name}"; DROP ROLE "${name}"`);
  });
});
