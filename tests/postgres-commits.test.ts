// A commit on PostgreSQL: the order of the log, and what becomes of a commit whose connection is lost.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { item } from "../src/domain/item";
import { openStore } from "../src/store/open";
import type { Store } from "../src/store/store";
import { testInFull } from "./support/in-full";
import { describeWithPostgres, type PostgresSchema, schemaIn, sharedPostgres } from "./support/postgres";
import type { PostgresCluster } from "./support/postgres-cluster";
import { eventually } from "./support/processes";
import { startProxy, type TcpProxy } from "./support/proxy";
import { useStores } from "./support/use-stores";

/** Makes the insertion of the event of an item named `slow` wait while somebody holds the advisory lock 42. */
const slowEvents = `
  CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(42);
    RETURN NULL;
  END $$;
  CREATE TRIGGER wait_for_test AFTER INSERT ON events FOR EACH ROW WHEN (NEW.body LIKE '%"slow"%') EXECUTE FUNCTION wait_for_test();`;

/** Takes the advisory lock 42. Returns a function that releases it. */
async function hold({ evaluate }: PostgresCluster): Promise<() => Promise<void>> {
  const held = evaluate("SELECT pg_advisory_lock(42); SELECT pg_sleep(60)").catch(() => {});
  const holder = await eventually(
    async () =>
      (await evaluate<{ pid: number }>("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND granted"))[0]?.pid,
    "the lock to be held",
  );
  return async () => {
    await evaluate(`SELECT pg_terminate_backend(${holder})`);
    await held;
  };
}

/** Waits until a commit waits for the advisory lock 42. Resolves with the process id of its connection's server. */
function waiting({ evaluate }: PostgresCluster): Promise<number> {
  return eventually(
    async () =>
      (await evaluate<{ pid: number }>("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted"))[0]?.pid,
    "a commit to wait",
  );
}

const named = (name: string) => ({ ...item.example, name });

describeWithPostgres("the order of the log", () => {
  const { stores, schema } = useStores(2, [item]);
  const [a, b] = stores as [Store, Store];

  testInFull("is that of commits for a reader that follows it, while several stores write", async () => {
    const seen: number[] = [];
    let isDone = false;
    const reading = (async () => {
      for (let last = 0; ; ) {
        // Looked at before the read, so that nothing comes after the last one.
        const wasDone = isDone;
        const entries = await a.log.read(last, 100);
        seen.push(...entries.map(({ position }) => position));
        last = seen.at(-1) ?? last;
        if (wasDone && entries.length === 0) return;
      }
    })();
    await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 8 }, async () => {
          for (let each = 0; each < 25; each += 1) await store.insert(item, item.example);
        }),
      ),
    );
    isDone = true;
    await reading;
    expect(seen).toHaveLength(400);
    expect(seen).toEqual([...seen].sort((x, y) => x - y));
  });

  test("holds a commit back until the one before it is finished", async () => {
    const cluster = await sharedPostgres();
    await schema().evaluate(slowEvents);
    const release = await hold(cluster);
    const slow = a.insert(item, named("slow"));
    await waiting(cluster);
    let isMade = false;
    const quick = b.insert(item, named("quick")).then(() => {
      isMade = true;
    });
    await eventually(
      async () => (await cluster.evaluate("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).length === 2 || undefined,
      "the other commit to wait",
    );
    expect(isMade).toBe(false);
    await release();
    await Promise.all([slow, quick]);
    expect((await a.log.read(0, 10)).map(({ body }) => JSON.parse(body).item.name)).toEqual(["slow", "quick"]);
  });

  test("depends on the lock: without it, a reader passes over an event", async () => {
    const cluster = await sharedPostgres();
    await schema().evaluate(slowEvents);
    await removeCommitLock(schema());
    const release = await hold(cluster);
    const slow = a.insert(item, named("slow"));
    await waiting(cluster);
    await b.insert(item, named("quick"));
    const [seen] = await a.log.read(0, 10);
    await release();
    await slow;
    expect(JSON.parse(seen?.body ?? "{}").item.name).toBe("quick");
    expect(await a.log.read(seen?.position ?? 0, 10)).toEqual([]);
  });
});

/** Plants a bug: the commit function does not take the commit lock. */
async function removeCommitLock({ evaluate }: PostgresSchema): Promise<void> {
  const rows = await evaluate<{ creation: string }>(
    `SELECT pg_get_functiondef(oid) AS creation FROM pg_proc
     WHERE proname LIKE 'warren_commit_%' AND pronamespace = current_schema()::regnamespace`,
  );
  for (const { creation } of rows) {
    const without = creation.replace(/PERFORM pg_advisory_xact_lock\(-?\d+\);/, "");
    if (without === creation) throw new Error("There is no lock to remove.");
    await evaluate(without);
  }
}

describeWithPostgres("a commit whose connection is lost", () => {
  let schema: PostgresSchema;
  let cluster: PostgresCluster;
  let proxy: TcpProxy;
  let store: Store;
  let isCut = false;
  /** Called when something is sent over the connection that commits, or over one for transactions. */
  let tap: { fromServer: () => void; fromClient: () => void; inTransaction: (bytes: Buffer | "answer") => void };

  beforeEach(async () => {
    cluster = await sharedPostgres();
    schema = schemaIn(cluster, `lost_${Math.random().toString(36).slice(2)}`);
    tap = { fromServer: () => {}, fromClient: () => {}, inTransaction: () => {} };
    proxy = await startProxy(cluster.port, () => {
      let purpose: string | undefined;
      return {
        fromServer() {
          if (purpose === "write") tap.fromServer();
          else if (purpose === "transaction") tap.inTransaction("answer");
        },
        fromClient(bytes) {
          if (purpose === "write") tap.fromClient();
          else if (purpose === "transaction") tap.inTransaction(bytes);
          // The name of a connection is in its first message.
          purpose ??= /warren (\w+)/.exec(bytes.toString("latin1"))?.[1];
        },
      };
    });
    store = await openStore({ database: { ...schema.address, port: proxy.port } }, [item]);
    // Draws the ids, so that the next change is one call.
    await store.insert(item, item.example);
  });
  afterEach(async () => {
    await store.close();
    proxy.close();
    await schema.drop();
  });

  const names = async () => (await store.log.read(0, 100)).map(({ body }) => JSON.parse(body).item.name as string).slice(1);
  /** Returns a function that cuts all connections at its first call. */
  const cutOnce = () => {
    isCut = false;
    return () => {
      if (!isCut) proxy.cut();
      isCut = true;
    };
  };

  test("before the server has it is made again, once", async () => {
    tap.fromClient = cutOnce();
    await store.insert(item, named("before"));
    expect([isCut, await names()]).toEqual([true, ["before"]]);
  });

  test("while the server runs it is made again, once", async () => {
    await schema.evaluate(slowEvents);
    const release = await hold(cluster);
    const made = store.insert(item, named("slow"));
    const pid = await waiting(cluster);
    await cluster.evaluate(`SELECT pg_terminate_backend(${pid})`);
    await release();
    await made;
    expect(await names()).toEqual(["slow"]);
  });

  test("while the server goes on is found, and not made again", async () => {
    await schema.evaluate(slowEvents);
    const release = await hold(cluster);
    const made = store.insert(item, named("slow"));
    await waiting(cluster);
    proxy.cut();
    // The question whether it was made waits for it.
    await eventually(
      async () =>
        (await cluster.evaluate("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%warren_give_up%' AND wait_event = 'advisory'")).length >
          0 || undefined,
      "the outcome to be asked for",
    );
    await release();
    await made;
    expect(await names()).toEqual(["slow"]);
  });

  test("after the server has made it is found, and not made again", async () => {
    tap.fromServer = cutOnce();
    await store.insert(item, named("after"));
    expect([isCut, await names()]).toEqual([true, ["after"]]);
  });

  describe("and that arrives late", () => {
    test("commits nothing", async () => {
      // What warren_give_up leaves for a group that it did not find.
      const [found] = await schema.evaluate<{ made: boolean }>("SELECT warren_give_up(1, gen_random_uuid(), NULL) AS made");
      expect(found).toEqual({ made: false });
      const [{ call, group }] = (await schema.evaluate<{ call: string; group: string }>(
        `SELECT proname AS call, (SELECT group_id::text FROM warren_fences) AS "group" FROM pg_proc
         WHERE proname LIKE 'warren_commit_%' AND pronamespace = current_schema()::regnamespace`,
      )) as [{ call: string; group: string }];
      const [result] = await schema.evaluate<{ fenced: boolean }>(
        `SELECT * FROM ${call}(commit_group => '${group}', ${await otherParameters(schema, call)})`,
      );
      expect(result?.fenced).toBe(true);
      expect(await names()).toEqual([]);
    });
  });

  describe("in a transaction that reads under the lock", () => {
    /** Calls a function when COMMIT is sent, which follows the call with the event, and then at each answer. */
    const atCommit = (act: (what: "sent" | "answered") => void) => {
      let state: "before" | "called" | "sent" = "before";
      tap.inTransaction = (bytes) => {
        if (bytes === "answer") {
          if (state === "sent") act("answered");
        } else if (state === "called") {
          state = "sent";
          act("sent");
        } else if (bytes.includes("item.erased")) state = "called";
      };
    };

    test.each(["sent", "answered"] as const)("is made once if that is when COMMIT is %s", async (when) => {
      const cut = cutOnce();
      atCommit((what) => what === when && cut());
      expect(await store.erase(item, 1)).toBeDefined();
      expect([isCut, (await store.log.read(0, 10)).map(({ type }) => type)]).toEqual([true, ["erased", "erased", "item.erased"]]);
    });
  });
});

describeWithPostgres("a commit", () => {
  const { stores, schema } = useStores(2, [item]);
  const [store, other] = stores as [Store, Store];

  test("for whose events the log has no partition adds one", async () => {
    await store.insert(item, item.example);
    await schema().evaluate("ALTER SEQUENCE warren_events_position RESTART 5000000");
    await store.insert(item, item.example);
    await schema().evaluate("ALTER SEQUENCE warren_events_position RESTART 9000000");
    expect(await store.erase(item, 1)).toBeDefined();
    expect((await store.log.read(0, 10)).map(({ type }) => type)).toEqual(["erased", "item.created", "erased", "item.erased"]);
  });

  test("never gives a record an earlier time than it has, also if the clock of another process is ahead", async () => {
    const { id, json } = await store.insert(item, item.example);
    const ahead = "2999-01-01T00:00:00.000Z";
    const { updatedAt } = JSON.parse(json) as { updatedAt: string };
    await schema().evaluate(`UPDATE items SET json = replace(json, '"updatedAt":"${updatedAt}"', '"updatedAt":"${ahead}"')`);
    const changed = await other.update(item, id, (current) => ({ ...current, price: 1 }));
    expect(JSON.parse(changed?.json ?? "{}")).toMatchObject({ updatedAt: ahead });
  });
});

/** Returns nulls for the parameters of the commit function, with an event that must not be added. */
async function otherParameters({ evaluate }: PostgresSchema, call: string): Promise<string> {
  const rows = await evaluate<{ name: string }>(
    `SELECT unnest(proargnames[2:pronargs]) AS name FROM pg_proc WHERE proname = '${call}' AND pronamespace = current_schema()::regnamespace`,
  );
  const given: Readonly<Record<string, string>> = {
    e_id: "ARRAY[gen_random_uuid()]",
    e_type: "ARRAY['item.created']",
    e_subject: "ARRAY[7]",
    e_time: "ARRAY['2026-01-01T00:00:00.000Z']",
    e_body: `'{"item":{"name":"late"}}'`,
  };
  return rows.map(({ name }) => `${name} => ${given[name] ?? "NULL"}`).join(", ");
}
