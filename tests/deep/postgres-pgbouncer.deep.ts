// PgBouncer in transaction mode: each statement may run in another session of the server, which several processes share.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { PostgresAddress } from "../../src/config/postgres-url";
import { StoreUnavailable } from "../../src/store/errors";
import { openDatabase } from "../../src/store/postgres/connection/connection";
import type { Database } from "../../src/store/postgres/connection/queries";
import { migrate, storeMigrations } from "../../src/store/postgres/schema/migrations";
import { isPgbouncerInstalled, type Pgbouncer, startPgbouncer } from "../support/pgbouncer";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { endAll, eventually, send, startApi } from "../support/processes";
import { rejection } from "../support/rejection";

setDefaultTimeout(60_000);

const declare = isPgbouncerInstalled || process.env["NO_SKIP"] ? describeWithPostgres : describe.skip;

declare("PgBouncer", () => {
  const postgres = useOwnPostgres();
  let pooler: Pgbouncer;
  let address: PostgresAddress;
  const opened: Database[] = [];
  const open = (changed: Partial<PostgresAddress> = {}) => {
    const database = openDatabase({ ...address, ...changed });
    opened.push(database);
    return database;
  };
  beforeAll(async () => {
    pooler = await startPgbouncer(postgres());
    await postgres().evaluate("CREATE ROLE service LOGIN; GRANT CREATE ON DATABASE postgres TO service");
    address = { ...postgres().schema("shop").address, port: pooler.port, user: "service", isPooled: true };
  });
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await endAll();
    await pooler.dispose();
  });

  test("the address must say it, and the role must have the settings: each is said, with what to do", async () => {
    expect((await rejection(open({ isPooled: false }).query("SELECT 1"))).message).toBe(
      `The database ${address.shown} takes no settings (unsupported startup parameter: search_path). Behind PgBouncer, add pgbouncer=true to DATABASE_URL.`,
    );
    const start = () => migrate(open(), address, storeMigrations);
    const { message } = await rejection(start());
    expect(message).toContain("lack settings (idle_in_transaction_session_timeout, lock_timeout, search_path, statement_timeout)");
    const script = /: (ALTER ROLE .*;)$/.exec(message)?.[1] ?? "";
    await postgres().evaluate(script);
    expect((await rejection(start())).message).toContain("lack settings");
    await pooler.reconnect();
    await start();
    expect(await open().query("SELECT count(*) AS slots FROM warren_slots")).toEqual([{ slots: 0 }]);
  });

  test("statements of several processes get their own answers", async () => {
    const processes = Array.from({ length: 6 }, () => open());
    const answers = Array.from({ length: 1200 }, async (_, index) => {
      const { query, writer } = processes[index % 6] as Database;
      const run = index % 3 === 0 ? writer.query : query;
      // Of several forms, so that sessions would mix them up if they were prepared.
      if (index % 5 === 0) return run("SELECT $1::bigint AS one, $2::text[] AS texts, $3::boolean AS yes", index, ["a", null], true);
      return run(`SELECT $1::bigint AS one, $2::text AS text_${index % 4}`, index, null);
    });
    for (const [index, answer] of (await Promise.all(answers)).entries()) {
      const expected = index % 5 === 0 ? { texts: ["a", null], yes: true } : { [`text_${index % 4}`]: null };
      expect(answer).toEqual([{ one: index, ...expected }]);
    }
  });

  test("transactions stay in one session, and their settings end with them", async () => {
    const processes = Array.from({ length: 5 }, () => open());
    const work = processes.flatMap((database) =>
      [1, 2, 3].map((each) =>
        database.transaction(
          async ({ query, script }) => {
            const pids = [];
            for (let step = 0; step < 5; step += 1) pids.push(...(await query<{ pid: number }>("SELECT pg_backend_pid() AS pid")));
            await script("SET LOCAL application_name = 'inside'; SELECT 1");
            await query("INSERT INTO warren_record_checks VALUES ($1, $2) ON CONFLICT (resource) DO NOTHING", `r${each}`, "x");
            return new Set(pids.map(({ pid }) => pid)).size;
          },
          { statementMs: 12_345 },
        ),
      ),
    );
    expect(new Set(await Promise.all(work))).toEqual(new Set([1]));
    const settings = Array.from({ length: 20 }, () =>
      open().query<{ limit: string }>("SELECT current_setting('statement_timeout') AS limit"),
    );
    expect(new Set((await Promise.all(settings)).flat().map(({ limit }) => limit))).toEqual(new Set(["10s"]));
  });

  test("a listener is told to look, and hears nothing more", async () => {
    const heard: unknown[] = [];
    const stop = open().listen("news", (payload) => heard.push(payload));
    await eventually(() => heard.length || undefined, "the first look");
    expect(heard).toEqual([undefined]);
    stop();
  });

  test("two API processes serve the same records, each with every event", async () => {
    const url = `postgres://service@127.0.0.1:${pooler.port}/postgres?schema=shop&pgbouncer=true`;
    const env = { DATABASE_URL: url, PORT: "0", RABBITMQ_URL: "none" };
    const apis = [await startApi({ env }), await startApi({ env })];
    try {
      const at = (index: number) => apis[index % 2]?.url;
      const created = await Promise.all(
        Array.from({ length: 200 }, (_, index) => send("POST", `${at(index)}/items`, { name: `n${index}` })),
      );
      expect(new Set(created.map(({ status }) => status))).toEqual(new Set([201]));
      const [{ id } = { id: 0 }] = (await Promise.all(created.map((answer) => answer.json()))) as { id: number }[];
      // Both change one record, and no change is lost.
      const changed = await Promise.all(
        Array.from({ length: 40 }, (_, index) => send("PATCH", `${at(index)}/items/${id}`, { price: index + 1 })),
      );
      expect(new Set(changed.map(({ status }) => status))).toEqual(new Set([200]));
      for (const index of [0, 1]) {
        expect((await (await fetch(`${at(index)}/items/${id}`)).json()) as object).toMatchObject({ version: 41 });
        const events: { position: number }[] = [];
        for (let after = 0; ; ) {
          const page = (await (await fetch(`${at(index)}/events?after=${after}&limit=100`)).json()) as {
            events: { position: number }[];
            next: number;
          };
          events.push(...page.events);
          if (page.events.length === 0) break;
          after = page.next;
        }
        expect(events).toHaveLength(240);
      }
    } finally {
      await Promise.all(apis.map((api) => api.stop()));
    }
  });

  test("a pooler or a server behind it that dies is unavailable until it is back", async () => {
    const database = open();
    await database.writer.query("SELECT 1");
    await pooler.kill();
    for (const query of [database.query, database.writer.query])
      expect(await rejection(query("SELECT 1"))).toBeInstanceOf(StoreUnavailable);
    await pooler.start();
    for (const query of [database.query, database.writer.query]) expect(await query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await postgres().kill();
    expect(await rejection(database.query("SELECT 1"))).toBeInstanceOf(StoreUnavailable);
    await postgres().start();
    const works = () =>
      database.query("SELECT 1").then(
        () => true,
        (error: unknown) => (error instanceof StoreUnavailable ? undefined : Promise.reject(error)),
      );
    await eventually(works, "PgBouncer to reach the server");
    await database.transaction(({ query }) => query("SELECT 1"));
  });
});
