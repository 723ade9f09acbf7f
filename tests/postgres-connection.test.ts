// Access to PostgreSQL: parameters and results, order, transactions, and what becomes of statements when the connection fails.
import { afterAll, describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../src/store/errors";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { isDataError, isSerializationFailure, OutcomeUnknown, PostgresError } from "../src/store/postgres/connection/errors";
import type { Database } from "../src/store/postgres/connection/queries";
import { isInFull } from "./support/in-full";
import { describeWithPostgres, useOwnPostgres, usePostgres } from "./support/postgres";
import { eventually } from "./support/processes";
import { startProxy } from "./support/proxy";
import { rejection } from "./support/rejection";

const opened: Database[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

function open(...options: Parameters<typeof openDatabase>): Database {
  const database = openDatabase(...options);
  opened.push(database);
  return database;
}

describeWithPostgres("statements", () => {
  const postgres = usePostgres();
  let database: Database;
  const start = async () => {
    database ??= open(postgres().address);
    return database;
  };

  test("parameters of each type and their arrays come back as they are", async () => {
    const { query } = await start();
    const values = { big: 2 ** 53 - 1, text: 'é"\\{},\u0001', yes: true, none: null, real: -1.5 };
    expect(
      await query(
        "SELECT $1::bigint AS big, $2::text AS text, $3::boolean AS yes, $4::text AS none, $5::float8 AS real",
        values.big,
        values.text,
        values.yes,
        values.none,
        values.real,
      ),
    ).toEqual([values]);
    const [numbers, texts, none] = [[1, 2 ** 53 - 1, -3], ["", "NULL", "null", null, '"', "\\", "{a,b}", " a ", "é"], []];
    expect(
      await query(
        "SELECT $1::bigint[] AS numbers, $2::text[] AS texts, $3::bigint[] AS none, $4::bigint AS null",
        numbers,
        texts,
        none,
        null,
      ),
    ).toEqual([{ numbers, texts, none, null: null }]);
    expect(await query("SELECT id, name FROM unnest($1::bigint[], $2::text[]) AS u(id, name)", [7, 8], ["a", null])).toEqual([
      { id: 7, name: "a" },
      { id: 8, name: null },
    ]);
    for (const text of ["\u0001", "\n", "\t\\", "\u007f\u2028", "\\n", '\\"', '"\\"', "\\\\t", "null"])
      expect(await query("SELECT $1::text[] AS texts", [text, null, text])).toEqual([{ texts: [text, null, text] }]);
    expect(await query("SELECT $1::boolean[] AS flags, $2::bytea[] AS bytes", [true, false], [new Uint8Array([1, 34])])).toEqual([
      { flags: [true, false], bytes: [Buffer.from([1, 34])] },
    ]);
    expect(await query("SELECT count(*) AS number FROM generate_series(1, 3)")).toEqual([{ number: 3 }]);
  });

  test("run on the writer in the order of their calls, and one that fails does not harm the next", async () => {
    const { writer, query } = await start();
    const schema = postgres().name;
    await postgres().evaluate(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.orders (number serial, value int)`);
    const values = Array.from({ length: 30 }, (_, index) => index);
    const answers = values.map((value) =>
      // Different texts, some of which are not prepared yet.
      writer.query(`INSERT INTO orders (value) VALUES ($1::int + ${value % 3} ${value === 20 ? "/ 0" : ""})`, value - (value % 3)),
    );
    const refused = (await Promise.allSettled(answers)).flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    expect(refused).toEqual([20]);
    const rows = await query<{ value: number }>("SELECT value FROM orders ORDER BY number");
    expect(rows.map(({ value }) => value)).toEqual(values.filter((value) => value !== 20));
  });

  test("errors of data keep their SQLSTATE", async () => {
    const { query } = await start();
    const division = await rejection(query("SELECT 1 / $1::int", 0));
    expect(division).toBeInstanceOf(PostgresError);
    expect([(division as PostgresError).sqlState, isDataError(division), isSerializationFailure(division)]).toEqual(["22012", true, false]);
    const nul = await rejection(query("SELECT $1::text", "\u0000"));
    expect((nul as PostgresError).sqlState).toBe("22021");
    expect(await rejection(query("SELECT * FROM nowhere"))).toMatchObject({ sqlState: "42P01" });
  });

  test.each([
    ["53100", "has a full disk", "Make room on it."],
    ["53200", "lacks resources", ""],
    ["53300", "has no connection left", "Raise max_connections"],
    ["25006", "is read-only", "Use the address of the primary server"],
    ["57014", "needed too long for a statement", ""],
    ["55P03", "held a lock for too long", "pg_stat_activity"],
    ["57P03", "is starting or stopping", ""],
    ["58030", "has a failure of its system", ""],
    ["XX001", "has an internal error", "Its data may be damaged."],
    ["08006", "lost the connection", ""],
  ])("%s of the server means that the store is unavailable: it %s", async (state, what, todo) => {
    const { writer } = await start();
    const fails = `DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '${state}'; END $$`;
    const error = await rejection(writer.query(fails));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).not.toBeInstanceOf(OutcomeUnknown);
    expect(error.message).toContain(`The database ${postgres().address.shown} ${what} (${state}: trouble)`);
    expect(error.message).toContain(todo);
  });

  test("each different text leaves one prepared statement, whatever its parameters", async () => {
    const own = open(postgres().address, { readers: 1 });
    for (let size = 0; size < 20; size += 1) await own.query("SELECT unnest($1::bigint[])", Array(size).fill(size));
    for (let size = 0; size < 20; size += 1) await own.query("SELECT 1");
    expect(await own.query("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time")).toEqual([
      { statement: "SELECT unnest($1::bigint[])" },
      { statement: "SELECT 1" },
      { statement: "SELECT statement FROM pg_prepared_statements ORDER BY prepare_time" },
    ]);
  });

  test("each connection has its limits, and a name by which it is found", async () => {
    const own = open(postgres().address, { statementMs: 1234, lockMs: 567, idleInTransactionMs: 890 });
    const settings = `SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS statement,
      current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle,
      current_setting('transaction_isolation') AS isolation, current_setting('application_name') AS name`;
    const expected = { path: `"${postgres().name}"`, statement: "1234ms", lock: "567ms", idle: "890ms", isolation: "read committed" };
    const name = (purpose: string) => `warren ${purpose}`;
    expect(await own.query(settings)).toEqual([{ ...expected, name: name("read") }]);
    expect(await own.writer.query(settings)).toEqual([{ ...expected, name: name("write") }]);
    expect(await own.line("leases").query(settings)).toEqual([{ ...expected, name: name("leases") }]);
    expect(await own.transaction(({ query }) => query(settings))).toEqual([{ ...expected, name: name("transaction") }]);
    expect(await own.transaction(({ query }) => query(settings), { statementMs: 9876 })).toEqual([
      { ...expected, statement: "9876ms", name: name("transaction") },
    ]);
    expect(await own.transaction(({ query }) => query(settings))).toEqual([{ ...expected, name: name("transaction") }]);
  });

  test("what the environment says about other databases is not used", async () => {
    const program = `import { openDatabase } from "./src/store/postgres/connection/connection";
      const database = openDatabase(${JSON.stringify(postgres().address)});
      console.log(JSON.stringify(await database.query("SELECT current_database() AS name, current_user AS user")));
      process.exit();`;
    const env = {
      ...process.env,
      PGHOST: "nowhere",
      PGDATABASE: "no",
      PGUSER: "nobody",
      PGPASSWORD: "x",
      DATABASE_URL: "postgres://x@y/z?schema=x&statement_timeout=1",
    };
    const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program], { env: { ...env, TLS_DATABASE_URL: "postgres://x@y/z" } });
    expect(`${stdout}${stderr}`).toBe(`${JSON.stringify([{ name: "postgres", user: "warren" }])}\n`);
  });
});

describeWithPostgres("transactions", () => {
  const postgres = usePostgres();
  let database: Database;
  const start = async () => {
    if (!database) {
      database = open(postgres().address, { transactions: 2, lockMs: 200 });
      await postgres().evaluate(`CREATE SCHEMA ${postgres().name}; CREATE TABLE ${postgres().name}.kept (value int PRIMARY KEY)`);
    }
    await database.query("DELETE FROM kept");
    return database;
  };
  const kept = async () => (await database.query<{ value: number }>("SELECT value FROM kept ORDER BY value")).map(({ value }) => value);

  test("commit all or nothing, and resolve with the result", async () => {
    const { transaction } = await start();
    const insert = "INSERT INTO kept VALUES ($1)";
    expect(
      await transaction(async ({ query, script }) => {
        await query(insert, 1);
        await script("INSERT INTO kept VALUES (2); INSERT INTO kept VALUES (3)");
        return "result";
      }),
    ).toBe("result");
    const thrown = new Error("own");
    const fails = transaction(async ({ query }) => {
      await query(insert, 4);
      throw thrown;
    });
    expect(await rejection(fails)).toBe(thrown);
    expect(await kept()).toEqual([1, 2, 3]);
  });

  test("reject if a statement in them failed, even if nobody looked", async () => {
    const { transaction } = await start();
    const hides = transaction(async ({ query }) => {
      await query("INSERT INTO kept VALUES (1)");
      await query("SELECT 1 / 0").catch(() => {});
    });
    expect(await rejection(hides)).toMatchObject({ sqlState: "25P02" });
    expect(await kept()).toEqual([]);
  });

  test("end with a last statement that the COMMIT follows at once: a process that freezes meanwhile holds up nobody", async () => {
    await start();
    const proxy = await startProxy(postgres().address.port);
    const own = open({ ...postgres().address, port: proxy.port }, { transactions: 1 });
    const held = (sleep: number, value: number) =>
      own.transaction(async ({ query, last }) => {
        await query("INSERT INTO kept VALUES ($1)", value);
        last("SELECT pg_sleep($1)", sleep);
        return value;
      });
    // From then on, its statements are prepared.
    expect(await held(0, 1)).toBe(1);
    const frozen = held(0.5, 2).catch(() => {});
    const sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%pg_sleep($1)%'";
    await eventually(async () => (await database.query(sleeping)).length || undefined, "the last statement");
    proxy.freeze();
    await eventually(async () => (await kept()).length === 2 || undefined, "the commit");
    proxy.close();
    await own.close();
    await frozen;
    const fails = database.transaction(async ({ query, last }) => {
      await query("INSERT INTO kept VALUES (3)");
      last("SELECT 1 / $1::int4", 0);
    });
    expect(await rejection(fails)).toMatchObject({ sqlState: "22012" });
    expect(await kept()).toEqual([1, 2]);
  });

  test("refuse statements after their end", async () => {
    const { transaction } = await start();
    const { query } = await transaction(async (queries) => queries);
    expect(await rejection(query("INSERT INTO kept VALUES (1)"))).toMatchObject({ message: expect.stringContaining("has ended") });
    expect(await kept()).toEqual([]);
  });

  test("wait for a connection in their order", async () => {
    await start();
    const own = open(postgres().address, { transactions: 1 });
    const gate = Promise.withResolvers<void>();
    const order: number[] = [];
    const all = [0, 1, 2, 3, 4].map((each) =>
      own.transaction(async ({ query }) => {
        order.push(each);
        await gate.promise;
        await query("INSERT INTO kept VALUES ($1)", each);
      }),
    );
    await eventually(() => order.length || undefined, "the first to begin");
    expect(order).toEqual([0]);
    gate.resolve();
    await Promise.all(all);
    expect([order, await kept()]).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ]);
  });

  test("a lock that is held for too long is an unavailable store, and the connection is good again", async () => {
    const { transaction } = await start();
    const lock = "SELECT pg_advisory_xact_lock(4711)";
    await transaction(async ({ query }) => {
      await query(lock);
      const waits = transaction((other) => other.query(lock));
      expect(await rejection(waits)).toMatchObject({
        name: "StoreUnavailable",
        message: expect.stringContaining("held a lock for too long"),
      });
    });
    await transaction(({ query }) => query(lock));
  });

  test("two that wait for each other: one is told that it can try again", async () => {
    await start();
    const patient = open(postgres().address);
    await patient.query("INSERT INTO kept VALUES (1), (2)");
    const both = Promise.withResolvers<void>();
    let begun = 0;
    const update = (first: number, second: number) =>
      patient.transaction(async (queries) => {
        await queries.query("UPDATE kept SET value = value WHERE value = $1", first);
        begun += 1;
        if (begun === 2) both.resolve();
        await both.promise;
        await queries.query("UPDATE kept SET value = value WHERE value = $1", second);
      });
    const errors = (await Promise.allSettled([update(1, 2), update(2, 1)])).flatMap((each) =>
      each.status === "rejected" ? [each.reason] : [],
    );
    expect(errors.map(isSerializationFailure)).toEqual([true]);
  });
});

if (isInFull) failingConnections();

describe("closed", () => {
  test("a database that was closed refuses statements", async () => {
    const database = openDatabase({
      engine: "postgres",
      host: "127.0.0.1",
      port: 1,
      user: "x",
      password: "",
      database: "x",
      schema: "x",
      sslMode: "disable",
      caFile: null,
      certFile: null,
      keyFile: null,
      isPooled: false,
      shown: "postgres://127.0.0.1:1/x",
    });
    expect(await rejection(database.query("SELECT 1"))).toMatchObject({
      name: "StoreUnavailable",
      message: expect.stringContaining("The database postgres://127.0.0.1:1/x cannot be reached"),
    });
    await database.close();
    expect(await rejection(database.query("SELECT 1"))).toBeInstanceOf(StoreUnavailable);
  });
});

function failingConnections(): void {
  describeWithPostgres("a connection that fails", () => {
    const postgres = useOwnPostgres();
    const limits = { statementMs: 500, connectMs: 500 };
    const pidOf = async (database: Database) =>
      (await database.writer.query<{ pid: number }>("SELECT pg_backend_pid() AS pid"))[0]?.pid ?? 0;
    const kill = (pid: number) => postgres().evaluate(`SELECT pg_terminate_backend(${pid})`);

    test("is opened again for the next statement", async () => {
      const database = open(postgres().schema().address, { ...limits, readers: 1 });
      const pid = await pidOf(database);
      await kill(pid);
      await eventually(
        () =>
          pidOf(database).then(
            (now) => now !== pid || undefined,
            () => undefined,
          ),
        "another connection",
      );
    });

    test("rejects what it was to answer, which may have had its effect", async () => {
      const database = open(postgres().schema().address);
      const pid = await pidOf(database);
      const answers = [database.writer.query("SELECT pg_sleep($1)", 30), database.writer.query("SELECT $1::int", 1)];
      const errors = Promise.all(answers.map(rejection));
      await eventually(
        async () =>
          (await postgres().evaluate(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'PgSleep'`)).length || undefined,
        "the statement",
      );
      await kill(pid);
      for (const error of await errors) expect(error).toBeInstanceOf(OutcomeUnknown);
      expect(await database.writer.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    });

    test("ends a transaction, of which nothing is left, not even what it runs later", async () => {
      const database = open(postgres().schema().address);
      await postgres().evaluate("CREATE TABLE IF NOT EXISTS public.kept (value int)");
      const killed = database.transaction(async ({ query }) => {
        await query("INSERT INTO public.kept VALUES (1)");
        const [{ pid } = { pid: 0 }] = await query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        await kill(pid);
        await query("INSERT INTO public.kept VALUES (2)").catch(() => {});
        await query("INSERT INTO public.kept VALUES (3)");
      });
      expect(await rejection(killed)).toBeInstanceOf(StoreUnavailable);
      expect(await database.query("SELECT value FROM public.kept")).toEqual([]);
    });

    test("a database that freezes rejects in time, and everything works when it is back", async () => {
      const database = open(postgres().schema().address, limits);
      await pidOf(database);
      await database.query("SELECT 1");
      postgres().freeze();
      const answers = [
        database.writer.query("SELECT 1"),
        database.query("SELECT 1"),
        database.transaction(({ query }) => query("SELECT 1")),
      ];
      const errors = await Promise.all(answers.map(rejection));
      for (const error of errors) expect(error).toBeInstanceOf(StoreUnavailable);
      postgres().thaw();
      for (const { query } of [database, database.writer]) expect(await query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    });

    test("a database that freezes rejects in time, also after a transaction that had an hour", async () => {
      const database = open(postgres().schema().address, { ...limits, transactions: 1 });
      await database.transaction(({ query }) => query("SELECT 1"), { statementMs: 3_600_000 });
      postgres().freeze();
      expect(await rejection(database.transaction(({ query }) => query("SELECT 1")))).toBeInstanceOf(StoreUnavailable);
      postgres().thaw();
      expect(await database.transaction(({ query }) => query("SELECT 1 AS one"))).toEqual([{ one: 1 }]);
    });

    test.each(["kill", "immediate", "fast"] as const)("a database that stops (%s) is unavailable until it is back", async (how) => {
      const database = open(postgres().schema().address, limits);
      const heard: (string | undefined)[] = [];
      database.listen("news", (payload) => heard.push(payload));
      await pidOf(database);
      await eventually(() => heard.length || undefined, "the first look");
      if (how === "kill") await postgres().kill();
      else await postgres().stop(how);
      for (const error of await Promise.all(
        [database.query("SELECT 1"), database.writer.query("SELECT 1"), database.transaction(async () => {})].map(rejection),
      ))
        expect(error).toBeInstanceOf(StoreUnavailable);
      await postgres().start();
      expect(await database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
      // It listens again, and says so, since it may have missed something.
      await eventually(() => heard.length > 1 || undefined, "the second look");
      await database.query("SELECT pg_notify('news', 'payload')");
      await eventually(() => heard.includes("payload") || undefined, "the payload");
      expect(heard).toEqual([undefined, undefined, "payload"]);
    });

    test("a cut network is noticed: statements reject, and it listens on another connection", async () => {
      const proxy = await startProxy(postgres().port);
      const address = { ...postgres().schema().address, port: proxy.port };
      const database = open(address, { ...limits, listenMs: 300 });
      const heard: (string | undefined)[] = [];
      database.listen("news", (payload) => heard.push(payload));
      await pidOf(database);
      await eventually(() => heard.length || undefined, "the first look");
      proxy.freeze();
      const before = heard.length;
      expect(await rejection(database.writer.query("SELECT 1"))).toBeInstanceOf(OutcomeUnknown);
      expect(await database.writer.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await eventually(() => heard.length > before || undefined, "another look");
      await postgres().evaluate("SELECT pg_notify('news', 'payload')");
      await eventually(() => heard.includes("payload") || undefined, "the payload");
      await database.close();
      proxy.close();
    });
  });
}
