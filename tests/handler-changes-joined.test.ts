// Handlers of exactlyOnce consumers on PostgreSQL: the inbox, their tables and the resources that they change are one transaction.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { type ConsumerOptions, type ExactlyOnceContext, Reject } from "warren/consumer";
import { resolveConsumer } from "../src/delivery/consumer-options";
import type { Task } from "../src/delivery/delivery";
import { handleExactlyOnce } from "../src/delivery/exactly-once";
import { handleBatch } from "../src/delivery/handle";
import { Conflict, InvalidRecord } from "../src/schema/refused-change";
import type { ConsumerStore } from "../src/store/consumer/store";
import { openDatabase } from "../src/store/postgres/connection/connection";
import { OutcomeUnknown } from "../src/store/postgres/connection/errors";
import { PostgresConsumerStores } from "../src/store/postgres/consumer/stores";
import { lockKey } from "../src/store/postgres/schema/migrations";
import type { TransactionEngine } from "../src/store/transaction/engine";
import { describeWithPostgres, type PostgresSchema, schemaIn, sharedPostgres } from "./support/postgres";
import type { PostgresCluster } from "./support/postgres-cluster";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { type BookCreated, book, deliveryOfBook, library, libraryCatalogue, recordIn, shelf } from "./support/shelves";
import { useStore } from "./support/use-store";

setDefaultTimeout(60_000);

type Handler = (book: number, context: ExactlyOnceContext) => unknown;

describeWithPostgres("a handler with exactlyOnce that changes resources", () => {
  const schemas = new Map<string, PostgresSchema>();
  let [cluster, current]: [PostgresCluster?, PostgresSchema?] = [];
  const schema = () => current as PostgresSchema;
  beforeAll(async () => {
    cluster = await sharedPostgres();
  });
  afterAll(async () => {
    for (const own of schemas.values()) await own.drop();
  });
  let [stores, own]: [PostgresConsumerStores?, ConsumerStore?] = [];
  afterEach(async () => {
    await stores?.remove("ledger");
    await stores?.close();
  });
  const { store } = useStore((folder) => {
    current = schemas.get(folder) ?? schemaIn(cluster as PostgresCluster, `test_${Bun.hash(folder).toString(36)}`);
    schemas.set(folder, current);
    return { database: current.address, dataDir: folder };
  }, library);

  const queue = () => `"${schema().name}.ledger"`;
  const rows = <Row>(sql: string) => schema().evaluate(sql) as Promise<Row[]>;
  const ledger = async () =>
    (await rows<{ book: number; free: number }>(`SELECT book::int4, free::int4 FROM ${queue()}.ledger ORDER BY number`)).map(
      ({ book, free }) => [book, free],
    );
  const inbox = async () => (await rows<{ id: string }>(`SELECT id FROM ${queue()}.warren_inbox`)).length;
  const free = async () => ((await recordIn(store, shelf, 1)) as { free: number }).free;
  const add = async (title = "Emma", place?: number) =>
    (await store.insert(book, { title, state: "new", ...(place !== undefined && { shelf: place }) })).id;
  const tasksOf = (...ids: number[]) => Promise.all(ids.map((id) => deliveryOfBook(store, id)));

  beforeEach(async () => {
    stores = new PostgresConsumerStores(schema().address);
    own = await stores.open("ledger", { durable: false });
    await own.setUp(
      async (tx) =>
        void (await tx.run(
          "CREATE TABLE IF NOT EXISTS ledger (number BIGINT GENERATED ALWAYS AS IDENTITY, book BIGINT, free BIGINT, CHECK (free <> 13))",
        )),
    );
    await store.insert(shelf, { room: "A", free: 50 });
  });

  interface Around {
    readonly engine?: TransactionEngine;
    readonly beforeCommit?: () => Promise<() => void>;
    readonly consumer?: ConsumerStore;
    readonly options?: object;
  }

  /** Handles events as the worker does: in as many transactions as it takes. */
  async function handle(handler: Handler, tasks: readonly Task[], { engine, beforeCommit, consumer: of, options }: Around = {}) {
    const changed = {
      queue: "ledger",
      exactlyOnce: true,
      handle: ({ book: { id } }: BookCreated, context: ExactlyOnceContext) => handler(id, context),
      ...options,
    };
    const consumer = resolveConsumer(
      changed as unknown as ConsumerOptions,
      libraryCatalogue,
      recordedLog().log,
      () => {},
      undefined,
      engine ?? store.changing,
    );
    const around = {
      ...{ consumer, store: async () => of ?? (own as ConsumerStore), mayGoOn: () => true, isStopping: () => false },
      beforeCommit: beforeCommit ?? (async () => () => {}),
    };
    const results = [];
    while (results.length < tasks.length) {
      const some = await handleExactlyOnce(around, tasks.slice(results.length));
      if (some.length === 0) break;
      results.push(...some);
    }
    return results;
  }

  const handled = { kind: "handled" } as const;
  const duplicate = { kind: "duplicate" } as const;
  /** Notes how much was free, and takes a place. */
  const take: Handler = async (id, { change, tx }) => {
    const { free } = await change.read(shelf, 1);
    await tx.run("INSERT INTO ledger (book, free) VALUES (?, ?)", id, free);
    await change.update(shelf, 1, { free: free - 1 });
    await change.later(book, id, "expired", { after: "1h" });
  };
  /** Changes only the record of its event. */
  const place: Handler = async (id, { change, tx }) => {
    await tx.run("INSERT INTO ledger (book, free) VALUES (?, 0)", id);
    await change.update(book, id, { state: "placed" });
  };

  test("is one transaction with its inbox and its tables, and comes once", async () => {
    const tasks = await tasksOf(await add());
    const end = await store.log.end();
    expect(await handle(take, tasks)).toEqual([handled]);
    expect([await ledger(), await free(), await inbox()]).toEqual([[[1, 50]], 49, 1]);
    // The server numbers each transaction.
    const sql = `SELECT e.xmin::text AS event, i.xmin::text AS inbox, k.xmin::text AS note FROM events e, ${queue()}.warren_inbox i, idempotency_keys k
      WHERE e.position > ${end}`;
    const [numbers] = await rows<{ event: string; inbox: string; note: string }>(sql);
    expect(numbers).toEqual({ event: numbers?.inbox, inbox: numbers?.inbox, note: numbers?.inbox } as never);
    expect(await handle(take, tasks)).toEqual([duplicate]);
    expect([await ledger(), await free(), (await store.timers.list({ limit: 9 })).length]).toEqual([[[1, 50]], 49, 1]);
  });

  test("leaves nothing behind if its transaction is not committed", async () => {
    const tasks = await tasksOf(await add());
    const lost = await handle(take, tasks, { beforeCommit: () => Promise.reject(new Error("no")) });
    expect(lost).toMatchObject([{ kind: "failed" }]);
    expect([await ledger(), await free(), await inbox()]).toEqual([[], 50, 0]);
    const refusing: Handler = async (id, context) => {
      await take(id, context);
      await context.tx.run("INSERT INTO ledger (book, free) VALUES (?, 13)", id).catch(() => {});
    };
    const forgetful: Handler = async (id, context) => {
      await take(id, context);
      void context.tx.run("INSERT INTO ledger (book, free) VALUES (?, 1)", id);
    };
    for (const handler of [refusing, forgetful]) expect(await handle(handler, tasks)).toMatchObject([{ kind: "failed" }]);
    expect([await ledger(), await free(), await inbox()]).toEqual([[], 50, 0]);
  });

  test("holds up no other writer while it runs", async () => {
    const tasks = await tasksOf(await add());
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: Handler = async (id, context) => {
      await context.change.update(book, id, { state: "placed" });
      await context.tx.run("INSERT INTO ledger (book, free) VALUES (?, 0)", id);
      begun.resolve();
      await goOn.promise;
    };
    const handling = handle(slow, tasks);
    await begun.promise;
    const end = await store.log.end();
    for (let written = 0; written < 5; written += 1) await store.update(shelf, 1, (now) => ({ ...now, free: now.free + 1 }));
    expect(await store.log.end()).toBe(end + 5);
    expect(
      await rows(
        "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND a.state = 'idle in transaction'",
      ),
    ).toEqual([]);
    goOn.resolve();
    expect(await handling).toEqual([handled]);
    expect(await store.log.end()).toBe(end + 6);
  });

  test("waits for the order lock as any writer does, however short its own time limit is", async () => {
    const tasks = await tasksOf(await add());
    const database = openDatabase(schema().address);
    const [locked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = database.transaction(async ({ query }) => {
      await query("SELECT pg_advisory_xact_lock($1::bigint)", lockKey(schema().name, "commit"));
      locked.resolve();
      await goOn.promise;
      await query("SELECT pg_sleep(0.2)");
    });
    await locked.promise;
    let runs = 0;
    const quick: Handler = async (id, context) => {
      runs += 1;
      await place(id, context);
    };
    const consumer = await (stores as PostgresConsumerStores).open("ledger", { durable: false, patienceMs: 100 });
    const handling = handle(quick, tasks, { consumer });
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE '%warren_commit_%'";
    await eventually(async () => (await rows(waiting)).length > 0 || undefined, "the commit to wait");
    goOn.resolve();
    await holding;
    expect([await handling, runs]).toEqual([[handled], 1]);
    await database.close();
  });

  test("runs again as a whole if somebody has changed what it had read, up to 8 times", async () => {
    const tasks = await tasksOf(await add());
    let runs = 0;
    const racing: Handler = async (id, context) => {
      runs += 1;
      await take(id, context);
      if (runs < 3) await store.update(shelf, 1, (now) => ({ ...now, free: now.free + 10 }));
    };
    expect(await handle(racing, tasks)).toEqual([handled]);
    expect([runs, await ledger(), await free(), await inbox()]).toEqual([3, [[1, 70]], 69, 1]);
    runs = -100;
    const [other] = await tasksOf(await add());
    expect(await handle(racing, [other as Task])).toMatchObject([{ kind: "failed", error: { name: "TransactionGaveUp" } }]);
    expect([runs, (await ledger()).length, await inbox()]).toEqual([-92, 1, 1]);
  });

  test("also if it only reads: its tables would have what no longer holds", async () => {
    const tasks = await tasksOf(await add());
    let runs = 0;
    const reading: Handler = async (id, { change, tx }) => {
      runs += 1;
      const { free } = await change.read(shelf, 1);
      await tx.run("INSERT INTO ledger (book, free) VALUES (?, ?)", id, free);
      if (runs === 1) await store.update(shelf, 1, (now) => ({ ...now, free: 7 }));
    };
    expect(await handle(reading, tasks)).toEqual([handled]);
    expect([runs, await ledger()]).toEqual([2, [[1, 7]]]);
  });

  test("checks lists, too", async () => {
    const tasks = await tasksOf(await add());
    let runs = 0;
    const counting: Handler = async (id, { change, tx }) => {
      runs += 1;
      const waiting = await change.list(book, { state: "new" });
      await tx.run("INSERT INTO ledger (book, free) VALUES (?, ?)", id, waiting.length);
      if (runs === 1) await add("Persuasion");
      await change.update(book, id, { state: "placed" });
    };
    expect(await handle(counting, tasks)).toEqual([handled]);
    expect([runs, await ledger(), await recordIn(store, book, 1)]).toMatchObject([2, [[1, 2]], { state: "placed" }]);
  });

  test("may catch what a unique value or a reference refuses; otherwise it is retried, or a dead letter with the place", async () => {
    const tasks = await tasksOf(await add());
    await store.insert(shelf, { room: "B", free: 1 });
    const catching: Handler = async (id, { change, tx }) => {
      const made = await change.insert(shelf, { room: "B", free: 5 }).catch((error: unknown) => error);
      const placed = await change.update(book, id, { shelf: 77 }).catch((error: unknown) => error);
      await tx.run(
        "INSERT INTO ledger (book, free) VALUES (?, ?)",
        id,
        made instanceof Conflict && placed instanceof InvalidRecord ? 1 : 0,
      );
      await change.update(book, id, { state: "refused" });
    };
    const conflicting: Handler = async (id, context) => {
      await take(id, context);
      await context.change.insert(shelf, { room: "B", free: 5 });
    };
    const lost: Handler = async (id, context) => {
      await take(id, context);
      await context.change.update(book, id, { shelf: 77 });
    };
    expect(await handle(conflicting, tasks)).toMatchObject([{ kind: "failed", error: { name: "Conflict" } }]);
    const [rejected] = await handle(lost, tasks);
    expect(rejected).toMatchObject({ kind: "failed", error: { message: expect.stringContaining("/shelf") } });
    expect(rejected?.kind === "failed" && rejected.error).toBeInstanceOf(Reject);
    expect([await ledger(), await free(), await inbox()]).toEqual([[], 50, 0]);
    expect(await handle(catching, tasks)).toEqual([handled]);
    expect([await ledger(), await recordIn(store, book, 1)]).toMatchObject([[[1, 1]], { state: "refused" }]);
  });

  test("shares a transaction with others that change other records", async () => {
    const ids = [await add("One"), await add("Two"), await add("Three"), await add("Four")];
    const failing: Handler = async (id, context) => {
      await place(id, context);
      if (id === 2) throw new Error("no");
      if (id === 3) await context.change.update(book, id, { shelf: 1 }).then(() => context.change.undo());
    };
    const results = await handle(failing, await tasksOf(...ids));
    expect(results.map(({ kind }) => kind)).toEqual(["handled", "failed", "handled", "handled"]);
    expect((await ledger()).map(([id]) => id)).toEqual([1, 3, 4]);
    expect(await rows(`SELECT count(DISTINCT xmin::text)::int4 AS transactions FROM ${queue()}.warren_inbox`)).toEqual([
      { transactions: 1 },
    ]);
    const states = await Promise.all(ids.map((id) => recordIn(store, book, id)));
    expect(states.map((record) => (record as { state: string }).state)).toEqual(["placed", "new", "new", "placed"]);
  });

  test("sees what the event before it has changed, in an earlier transaction, also when it fails because of that", async () => {
    const ids = [await add("One"), await add("Two"), await add("Three")];
    const last: Handler = async (id, context) => {
      if (id < 3) return take(id, context);
      const { free } = await context.change.read(shelf, 1);
      throw new Reject(`${free} are free`);
    };
    expect(await handle(last, await tasksOf(...ids))).toMatchObject([handled, handled, { error: { message: "48 are free" } }]);
    expect([await ledger(), await free()]).toEqual([
      [
        [1, 50],
        [2, 49],
      ],
      48,
    ]);
    const removing: Handler = async (id, { change }) => {
      if (id === 4) await change.remove(book, 1);
      else await change.update(book, id, { title: (await change.get(book, 1)) ? "there" : "gone" });
    };
    expect(await handle(removing, await tasksOf(await add("Four"), await add("Five")))).toEqual([handled, handled]);
    expect(await recordIn(store, book, 5)).toMatchObject({ title: "gone" });
  });

  test("whose change another event of its transaction makes impossible runs alone", async () => {
    const inserting: Handler = async (id, { change, tx }) => {
      await tx.run("INSERT INTO ledger (book, free) VALUES (?, 0)", id);
      await change.insert(shelf, { room: id === 1 ? "First" : "Same", free: id });
    };
    const results = await handle(inserting, await tasksOf(await add("One"), await add("Two"), await add("Three"), await add("Four")));
    expect(results).toMatchObject([handled, handled, { error: { name: "Conflict" } }, { error: { name: "Conflict" } }]);
    expect((await ledger()).map(([id]) => id)).toEqual([1, 2]);
  });

  test("in batches: one event has changes, several have none", async () => {
    const options = {
      handle: undefined,
      handleBatch: async (events: readonly BookCreated[], context: ExactlyOnceContext) => {
        for (const { book } of events) await take(book.id, context);
      },
    };
    const tasks = await tasksOf(await add("One"), await add("Two"), await add("Three"));
    expect(await handle(take, [...tasks, tasks[0] as Task], { options })).toEqual([handled, handled, handled, duplicate]);
    expect([(await ledger()).map(([, free]) => free), await free(), await inbox()]).toEqual([[50, 49, 48], 47, 3]);
  });

  test("is a duplicate if the answer to its COMMIT got lost, and made again if the COMMIT did", async () => {
    const tasks = await tasksOf(await add());
    const inner = own as ConsumerStore;
    let losses = 0;
    const losing = (before: boolean) =>
      new Proxy(inner, {
        get: (_, name) => {
          if (name !== "together") return Reflect.get(inner, name, inner) as unknown;
          return async (work: Parameters<ConsumerStore["together"]>[0]) => {
            losses += 1;
            if (losses > 1) return inner.together(work);
            const lost = new OutcomeUnknown("lost the connection");
            if (!before) await inner.together(work);
            else
              await inner.together(async (data) => {
                await work(data);
                throw lost;
              });
            throw lost;
          };
        },
      });
    expect(await handle(take, tasks, { consumer: losing(true) })).toEqual([handled]);
    expect([await ledger(), await free()]).toEqual([[[1, 50]], 49]);
    losses = 0;
    expect(await handle(take, await tasksOf(await add()), { consumer: losing(false) })).toEqual([duplicate]);
    expect([(await ledger()).length, await free(), await inbox()]).toEqual([2, 48, 2]);
  });

  test("whose changes were committed before its tables, as elsewhere, makes the tables good with the same answers", async () => {
    const tasks = await tasksOf(await add());
    const { changing } = store;
    const engine: TransactionEngine = {
      newest: (...asked) => changing.newest(...asked),
      newestByKey: (...asked) => changing.newestByKey(...asked),
      newestList: (...asked) => changing.newestList(...asked),
      reserveId: (...asked) => changing.reserveId(...asked),
      commit: (plan) => changing.commit(plan),
      check: (plan) => changing.check(plan),
      chain: (id) => changing.chain(id),
    };
    await handle(take, tasks, { engine, beforeCommit: () => Promise.reject(new Error("lost")) });
    expect([await ledger(), await free()]).toEqual([[], 49]);
    expect(await handle(take, tasks)).toEqual([handled]);
    expect([await ledger(), await free(), await inbox()]).toEqual([[[1, 50]], 49, 1]);
    // One that had no tables has kept no answers.
    const more = await tasksOf(await add());
    const plain = resolveConsumer(
      {
        queue: "ledger",
        handle: async (_: unknown, { change }: ExactlyOnceContext) => void (await change.update(shelf, 1, { free: 3 })),
      } as unknown as ConsumerOptions,
      libraryCatalogue,
      recordedLog().log,
      () => {},
      undefined,
      store.changing,
    );
    expect(await handleBatch(plain, more, () => false)).toEqual([handled]);
    expect(await handle(take, more)).toEqual([handled]);
    expect([await ledger(), await free()]).toEqual([
      [
        [1, 50],
        [2, 3],
      ],
      3,
    ]);
  });

  test("a forced replay makes its changes again", async () => {
    const id = await add();
    await handle(take, await tasksOf(id));
    expect(await handle(take, [await deliveryOfBook(store, id, { replay: "forced" })])).toEqual([handled]);
    expect([(await ledger()).length, await free(), await inbox()]).toEqual([2, 48, 1]);
  });

  test("constraints that PostgreSQL checks at the commit are checked before the order lock is taken", async () => {
    await rows(`ALTER TABLE ${queue()}.ledger ADD COLUMN one int, ADD CONSTRAINT once UNIQUE (one) DEFERRABLE INITIALLY DEFERRED`);
    const tasks = await tasksOf(await add());
    const twice: Handler = async (id, context) => {
      for (let rows = 0; rows < 2; rows += 1) await context.tx.run("INSERT INTO ledger (book, one) VALUES (?, 1)", id);
      await context.change.update(shelf, 1, { free: 1 });
    };
    expect(await handle(twice, tasks)).toMatchObject([{ kind: "failed", error: { sqlState: "23505" } }]);
    expect([await ledger(), await free(), await inbox()]).toEqual([[], 50, 0]);
  });
});
