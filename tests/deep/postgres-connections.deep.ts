// Connections to PostgreSQL that are killed, frozen and cut at random: no answer is wrong, none is missing, and an error that says
// that nothing happened is true.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { StoreUnavailable } from "../../src/store/errors";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import { OutcomeUnknown, PostgresError } from "../../src/store/postgres/connection/errors";
import type { Database } from "../../src/store/postgres/connection/queries";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { eventually } from "../support/processes";

setDefaultTimeout(120_000);

const opened: Database[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

describeWithPostgres("statements under failing connections", () => {
  const postgres = useOwnPostgres();

  test("what was answered is there, what was refused is not, and nothing hangs", async () => {
    await postgres().evaluate("CREATE SCHEMA shop; CREATE TABLE shop.kept (id int PRIMARY KEY)");
    const database = openDatabase(postgres().schema("shop").address, { statementMs: 1000, connectMs: 1000, transactions: 2 });
    opened.push(database);
    const outcomes = { done: new Set<number>(), refused: new Set<number>(), unknown: new Set<number>(), wrong: [] as unknown[] };
    let next = 0;
    let isOver = false;

    const attempt = async (id: number, work: () => Promise<unknown>) => {
      try {
        await work();
        outcomes.done.add(id);
      } catch (error) {
        if (error instanceof OutcomeUnknown) outcomes.unknown.add(id);
        else if (error instanceof StoreUnavailable) outcomes.refused.add(id);
        else outcomes.wrong.push(error);
      }
    };
    const insert = "INSERT INTO kept VALUES ($1) RETURNING id";
    async function write(): Promise<void> {
      while (!isOver) {
        next += 1;
        const id = next;
        await attempt(id, async () => {
          const rows = await database.writer.query<{ id: number }>(insert, id);
          if (rows[0]?.id !== id) outcomes.wrong.push([id, rows]);
        });
      }
    }
    async function transact(): Promise<void> {
      while (!isOver) {
        next += 2;
        const [first, second] = [next - 1, next];
        const both = database.transaction(async ({ query }) => {
          await query(insert, first);
          await query(insert, second);
        });
        await attempt(first, () => both);
        await attempt(second, () => both);
      }
    }
    async function read(): Promise<void> {
      for (let value = 0; !isOver; value += 1) {
        try {
          const rows = await database.query<{ value: number; text: string }>(
            "SELECT $1::int AS value, $2::text AS text",
            value,
            `t${value}`,
          );
          if (rows[0]?.value !== value || rows[0].text !== `t${value}`) outcomes.wrong.push([value, rows]);
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) outcomes.wrong.push(error);
        }
      }
    }
    const load = [...Array.from({ length: 16 }, write), ...Array.from({ length: 4 }, transact), ...Array.from({ length: 16 }, read)];

    for (let round = 0; round < 60; round += 1) {
      await Bun.sleep(50);
      await postgres().evaluate(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'warren %' AND random() < 0.5",
      );
      if (round % 20 === 9) {
        await postgres().stop("immediate");
        await postgres().start();
      }
      if (round % 20 === 19) {
        postgres().freeze();
        await Bun.sleep(5000);
        postgres().thaw();
      }
    }
    isOver = true;
    await Promise.all(load);

    expect(outcomes.wrong).toEqual([]);
    // Not under the short limits of this database: the server has just been thawed.
    const rows = await postgres().evaluate<{ id: number }>("SELECT id FROM shop.kept ORDER BY id");
    const kept = new Set(rows.map(({ id }) => id));
    expect([...outcomes.done].filter((id) => !kept.has(id))).toEqual([]);
    expect([...outcomes.refused].filter((id) => kept.has(id))).toEqual([]);
    // Otherwise this would prove nothing.
    for (const some of [outcomes.done, outcomes.refused, outcomes.unknown]) expect(some.size).toBeGreaterThan(0);
    expect(outcomes.done.size + outcomes.refused.size + outcomes.unknown.size).toBe(next);
  });

  test("a connection that is closed for lack of use fails no statement", async () => {
    const { address } = postgres().schema("shop");
    const pids = new Set<number>();
    let asked = 0;
    // Each at the moment at which its connection is being closed, or a little before or after.
    const ask = async () => {
      const database = openDatabase(address, { idleMs: 1000, readers: 1 });
      opened.push(database);
      for (let round = 0; round < 8; round += 1) {
        for (const { pid } of await database.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")) pids.add(pid);
        asked += 1;
        await Bun.sleep(995 + Math.random() * 12);
      }
    };
    await Promise.all(Array.from({ length: 40 }, ask));
    expect([pids.size > 40, pids.size < asked]).toEqual([true, true]);
  });

  test("a statement, a lock and a pause in a transaction that take too long are ended by the server", async () => {
    const database = openDatabase(postgres().schema("shop").address, { statementMs: 300, lockMs: 100, idleInTransactionMs: 200 });
    opened.push(database);
    const outcome = (work: Promise<unknown>) =>
      work.then(
        () => "done",
        (error: unknown) => error,
      );
    expect(await outcome(database.query("SELECT pg_sleep(10)"))).toMatchObject({
      name: "StoreUnavailable",
      message: expect.stringContaining("needed too long"),
    });
    const idle = await outcome(
      database.transaction(async ({ query }) => {
        await query("INSERT INTO kept VALUES (-1)");
        const [{ pid } = { pid: 0 }] = await query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const isGone = async () => (await postgres().evaluate(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`)).length === 0;
        await eventually(async () => (await isGone()) || undefined, "the server to end the connection");
        await query("INSERT INTO kept VALUES (-2)");
      }),
    );
    expect(idle).toBeInstanceOf(StoreUnavailable);
    expect(await database.query("SELECT id FROM kept WHERE id < 0")).toEqual([]);
    expect(await outcome(database.transaction(({ query }) => query("SELECT pg_sleep(0.5)"), { statementMs: 5000 }))).toBe("done");
    expect(await outcome(database.query("SELECT 1 / 0"))).toBeInstanceOf(PostgresError);
  });
});
