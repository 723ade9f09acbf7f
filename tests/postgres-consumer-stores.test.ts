// What consumers keep in PostgreSQL, and how processes of one queue share it.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Lane } from "../src/store/consumer/lanes";
import type { ConsumerStore } from "../src/store/consumer/store";
import { atOnce } from "../src/store/consumer/waiting-table";
import { numbered } from "../src/store/postgres/consumer/placeholders";
import { schemaNameOf } from "../src/store/postgres/consumer/schema-name";
import { PostgresConsumerStores } from "../src/store/postgres/consumer/stores";
import { steadyNow } from "../src/timing/clock";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { rejection } from "./support/rejection";

describe("`?` stands for a parameter", () => {
  test.each([
    ["INSERT INTO t VALUES (?, ?, ?)", "INSERT INTO t VALUES ($1, $2, $3)"],
    ["SELECT 'a?', \"b?\", ? -- c?\n, ?", "SELECT 'a?', \"b?\", $1 -- c?\n, $2"],
    ["SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"],
    ["SELECT E'\\'?', ?, TYPE'\\', ?", "SELECT E'\\'?', $1, TYPE'\\', $2"],
    ["SELECT /* ? /* ? */ ? */ ?", "SELECT /* ? /* ? */ ? */ $1"],
    ["SELECT $$ ? $$, $tag$ ? $$ ? $tag$, ?", "SELECT $$ ? $$, $tag$ ? $$ ? $tag$, $1"],
    ["SELECT a$b$c, ?, a$b$", "SELECT a$b$c, $1, a$b$"],
    ["SELECT 'never ends ?", "SELECT 'never ends $1"],
    ["SELECT 1", "SELECT 1"],
  ])("%p", (sql, expected) => expect([numbered(sql), numbered(sql)]).toEqual([expected, expected]));
});

describe("the schema of a queue", () => {
  test("has a name that no other queue or service has, and that PostgreSQL does not cut", () => {
    expect(schemaNameOf("warren", "audit")).toBe("warren.audit");
    const long = ["a", "b"].map((end) => schemaNameOf("warren", `${"x".repeat(190)}${end}`));
    expect([new Set(long).size, ...long.map((name) => name.length)]).toEqual([2, 63, 63]);
    expect(schemaNameOf("warren", "a.b")).not.toBe(schemaNameOf("warren_a", "b"));
  });
});

describeWithPostgres("on PostgreSQL", () => {
  const postgres = usePostgres();
  let queue = 0;
  let name: string;
  let all: PostgresConsumerStores[];
  beforeEach(() => {
    queue += 1;
    name = `queue-${queue}`;
    all = [];
  });
  afterEach(() => Promise.all(all.map((stores) => stores.close())));

  function process(): PostgresConsumerStores {
    const stores = new PostgresConsumerStores(postgres().address);
    all.push(stores);
    return stores;
  }
  const open = (stores = process()): Promise<ConsumerStore> => stores.open(name, { durable: true, patienceMs: 5000 });

  describe("a transaction", () => {
    test("has handlers' statements with `?`, values of all kinds, and the number of changed rows", async () => {
      const store = await open();
      const result = await store.together(async ({ transaction: tx }) => {
        await tx.run("CREATE TABLE stock (id BIGINT PRIMARY KEY, price DOUBLE PRECISION, name TEXT, sold BOOLEAN, image BYTEA)");
        const inserted = await tx.run("INSERT INTO stock VALUES (?, ?, ?, ?, ?)", 2 ** 40, 9.5, "it's ?", true, new Uint8Array([0, 255]));
        await tx.run("INSERT INTO stock VALUES (?, ?, ?, ?, ?)", 7n, 3, null, false, null);
        const changed = await tx.run("UPDATE stock SET price = price * ?", 2);
        return [
          inserted,
          changed,
          await tx.get("SELECT price, name FROM stock WHERE id = ?", 7),
          await tx.get("SELECT 1 FROM stock WHERE id = 0"),
        ];
      });
      expect(result).toEqual([1, 2, { price: 6, name: null }, undefined]);
      const [row] = await store.transaction.all<{ id: number; image: Uint8Array }>("SELECT * FROM stock ORDER BY id DESC");
      expect([row?.id, [...(row?.image ?? [])]]).toEqual([2 ** 40, [0, 255]]);
    });

    test("is undone as a whole; a part of it is undone alone, also if its statement failed", async () => {
      const store = await open();
      await store.transaction.run("CREATE TABLE effects (id INT PRIMARY KEY)");
      await store.together(async (own) => {
        const part = (id: number, fails: boolean) =>
          own.together(async ({ transaction: tx }) => {
            await tx.run("INSERT INTO effects VALUES (?)", id);
            if (fails) throw new Error("no");
          });
        await part(1, false);
        await rejection(part(2, true));
        expect(await rejection(part(1, false))).toMatchObject({ sqlState: "23505" });
        await own.together(async () => {});
        await part(3, false);
      });
      await rejection(
        store.together(async (own) => {
          await own.transaction.run("INSERT INTO effects VALUES (4)");
          throw new Error("no");
        }),
      );
      expect(await store.transaction.all("SELECT id FROM effects ORDER BY id")).toEqual([{ id: 1 }, { id: 3 }]);
    });

    test("of a part whose statement failed is undone even if the handler caught the error", async () => {
      const store = await open();
      await store.transaction.run("CREATE TABLE effects (id INT PRIMARY KEY)");
      const error = await rejection(
        store.together((own) =>
          own.together(async ({ transaction: tx }) => {
            await tx.run("INSERT INTO effects VALUES (1)");
            await tx.run("INSERT INTO effects VALUES (1)").catch(() => {});
          }),
        ),
      );
      expect(error).toMatchObject({ sqlState: "23505" });
      expect(await store.transaction.all("SELECT id FROM effects")).toEqual([]);
    });

    test("whose connection is lost is undone, and the store goes on", async () => {
      const store = await open();
      await store.transaction.run("CREATE TABLE effects (id INT)");
      let calls = 0;
      const lost = store.together(async (own) => {
        for (const id of [1, 2, 3]) {
          const part = own.together(async ({ transaction: tx }) => {
            calls += 1;
            await tx.run("INSERT INTO effects VALUES (?)", id);
            if (id === 2) await tx.run("SELECT pg_terminate_backend(pg_backend_pid())");
          });
          await part.catch(() => {});
        }
      });
      expect(await rejection(lost)).toMatchObject({ name: expect.stringMatching(/StoreUnavailable|Error/) as string });
      expect(calls).toBe(2);
      expect(await store.transaction.all("SELECT id FROM effects")).toEqual([]);
    });
  });

  describe("the inbox", () => {
    test("of two processes that claim an event at once lets one handle it, after which it is done for both", async () => {
      const [first, second] = await Promise.all([open(), open()]);
      const claimed = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const handled: string[] = [];
      const one = first.together(async ({ inbox }) => {
        handled.push(...(await inbox.claim(["b", "a"], steadyNow())));
        claimed.resolve();
        await gate.promise;
      });
      await claimed.promise;
      const two = second.together(async ({ inbox }) => {
        handled.push(...[...(await inbox.claim(["a", "c", "b"], steadyNow()))].map((id) => `second ${id}`));
      });
      gate.resolve();
      await Promise.all([one, two]);
      expect(handled.sort()).toEqual(["a", "b", "second c"]);
    });

    test("gives an event that was rolled back to the other", async () => {
      const [first, second] = await Promise.all([open(), open()]);
      const claimed = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const one = first.together(async ({ inbox }) => {
        await inbox.claim(["a"], steadyNow());
        claimed.resolve();
        await gate.promise;
        throw new Error("no");
      });
      await claimed.promise;
      const two = second.together(({ inbox }) => inbox.claim(["a"], steadyNow()));
      gate.resolve();
      await rejection(one);
      expect(await two).toEqual(new Set(["a"]));
    });

    test("expires, and is bounded if the clock of the database was ahead", async () => {
      const { inbox } = await open();
      const now = steadyNow();
      await inbox.claim(["old"], now - 2000);
      await inbox.claim(["new"], now);
      expect([await inbox.expire(now - 1000), await inbox.has("old"), await inbox.has("new")]).toEqual([1, false, true]);
      await inbox.release(["new"]);
      await inbox.add(["again", "ahead"], now + 3_600_000);
      const store = await open();
      await store.bound(now);
      expect(await store.inbox.expire(steadyNow() + 1000)).toBe(2);
    });
  });

  describe("waiting events", () => {
    const event = (id: number) => JSON.stringify({ id: `event-${id}`, type: "item.created", item: { id } });
    const lanes = (...numbers: number[]): Lane[] => numbers.map((number) => ({ number, epoch: 1 }));
    const common = { attempts: 1, firstFailure: null, replay: "no", traceparent: null } as const;

    test("are in the lane of their record, and due by the clock of the database", async () => {
      const { waiting } = await open();
      const now = steadyNow();
      await waiting.add({ id: "a", body: event(33), dueAt: now + 60_000, delayMs: 60_000, ...common });
      await waiting.add({ id: "b", body: event(2), dueAt: atOnce, delayMs: 0, ...common });
      await waiting.add({ id: "c", body: "{", dueAt: now - 1, delayMs: 0, ...common });
      const dueIn = async (...numbers: number[]) =>
        (await waiting.due(steadyNow(), lanes(...numbers), new Set(), 10)).map(({ id, lane }) => [id, lane]);
      expect([await dueIn(0, 1, 2), await dueIn(1), await dueIn()]).toEqual([
        [
          ["b", 2],
          ["c", 0],
        ],
        [],
        [],
      ]);
      expect((await waiting.due(now + 61_000, lanes(1), new Set(), 10)).map(({ id }) => id)).toEqual(["a"]);
      const next = await waiting.nextDueAt(lanes(1, 5), new Set());
      expect(Math.abs((next ?? 0) - (now + 60_000))).toBeLessThan(1000);
      const [first] = await waiting.due(steadyNow(), lanes(2), new Set(), 1);
      await waiting.begin([first?.number ?? 0]);
      expect(await waiting.due(steadyNow(), lanes(2), new Set(), 1)).toMatchObject([{ begun: 1, dueAt: atOnce, attempts: 1 }]);
      expect(await waiting.due(steadyNow(), lanes(2), new Set([first?.number ?? 0]), 1)).toEqual([]);
      await waiting.rest([first?.number ?? 0]);
      await waiting.remove(first?.number ?? 0);
      expect(await waiting.count()).toBe(2);
    });

    test("wait no longer than their delay if the clock was ahead", async () => {
      const store = await open();
      await store.waiting.add({ id: "a", body: event(1), dueAt: steadyNow() + 3_600_000, delayMs: 0, ...common });
      await store.bound(steadyNow());
      expect(await store.waiting.due(steadyNow() + 1000, lanes(1), new Set(), 10)).toHaveLength(1);
    });
  });

  test("progress is saved only by the holder of a lane in its last epoch", async () => {
    const [first, second] = await Promise.all([open(), open()]);
    expect(await first.progress("log")).toBeUndefined();
    await first.begin("log", 5, ["item.created"]);
    await second.begin("log", 9, ["item.deleted"]);
    expect([await first.progress("log"), await first.followedTypes("log")]).toEqual([{ position: 5, begun: 5 }, ["item.deleted"]]);
    const [old, other, taken] = [
      { number: 1, epoch: 1 },
      { number: 2, epoch: 1 },
      { number: 1, epoch: 2 },
    ];
    await first.takeLanes("log", [old, other]);
    expect(
      await first.saveProgress(
        "log",
        [old, other].map((lane) => ({ lane, position: 7, begun: 8 })),
      ),
    ).toEqual([]);
    expect(await second.takeLanes("log", [taken])).toMatchObject([{ position: 7, begun: 8 }]);
    expect(
      await first.saveProgress(
        "log",
        [old, other].map((lane) => ({ lane, position: 10, begun: 10 })),
      ),
    ).toEqual([old]);
    // One that was frozen while it took the lane.
    await first.takeLanes("log", [old]);
    expect(await second.saveProgress("log", [{ lane: taken, position: 11, begun: 11 }])).toEqual([]);
    expect(await first.progress("log")).toEqual({ position: 5, begun: 11 });
    expect(await process().slowest("log")).toBe(5);
  });

  test("a replay is finished when it is in all lanes", async () => {
    const { replays } = await open();
    await replays.add({ id: "r", logId: "log", queue: name, fill: 0, selection: "{}", first: 2, last: 9, createdAt: "2026" });
    const lanes = Array.from({ length: 32 }, (_, number) => ({ number, epoch: 1 }));
    expect((await replays.takeLanes("r", lanes))[31]).toEqual(expect.objectContaining({ position: 2, begun: 2, sent: 0 }) as never);
    const done = (some: Lane[]) =>
      replays.save(
        "r",
        some.map((lane) => ({ lane, position: 9, begun: 9, sent: 2 })),
      );
    await done(lanes.slice(1));
    expect([await replays.finish("r", "2027"), await replays.unfinished("log")]).toMatchObject([
      false,
      [{ position: 2, begun: 9, sent: 62 }],
    ]);
    await done(lanes);
    expect([await replays.finish("r", "2027"), await replays.finish("r", "2028"), await replays.unfinished("log")]).toEqual([
      true,
      false,
      [],
    ]);
    expect(await replays.get("r")).toMatchObject({ position: 9, sent: 64, finishedAt: "2027", error: null });
    await replays.end("r", "2029", "cancelled");
    expect(await replays.list(5)).toMatchObject([{ id: "r", finishedAt: "2027", error: null }]);
  });

  test("dead letters, attempts and deaths are there for all processes", async () => {
    const [first, second] = await Promise.all([open(), open()]);
    const dead = {
      type: "item.created",
      body: "{}",
      stack: null,
      attempts: 1,
      firstFailure: "1",
      lastFailure: "2",
      replay: "no",
      traceparent: null,
    } as const;
    for (const [id, reason] of [
      ["a", "rejected"],
      ["b", "invalid"],
      ["c", "rejected"],
    ] as const)
      await first.dead.add({ id, reason, error: "half \0 of it", ...dead });
    expect([await second.dead.count(), (await second.dead.list({ reason: "rejected" }, 0, 10)).map(({ id }) => id)]).toEqual([
      3,
      ["a", "c"],
    ]);
    expect((await second.dead.list({ ids: ["b", "c"], type: "item.created" }, 0, 1)).map(({ id }) => id)).toEqual(["b"]);
    await second.dead.remove(await second.dead.last());
    expect(await first.dead.count()).toBe(2);
    expect([await first.countDeath("a"), await second.countDeath("a")]).toEqual([1, 2]);
    await second.forgetDeaths("a");
    expect(await first.countDeath("a")).toBe(1);
    await first.attempts.add("a", { attempt: 1, at: 5, outcome: "retry", reason: null, error: "no", dueAt: 7.5 });
    const stores = process();
    expect(await stores.history(name, "log", "a")).toMatchObject({
      dead: { reason: "rejected" },
      attempts: [{ outcome: "retry", dueAt: 8 }],
    });
    expect(await stores.state(name, "log")).toEqual({ position: null, waiting: 0, dead: 2, processes: 0 });
    const isChosen = ({ id }: { id: string }) => id === "a";
    expect([await stores.erase(name, isChosen, { isDryRun: true }), await first.dead.count()]).toEqual([1, 2]);
    expect([await stores.erase(name, isChosen), (await stores.history(name, "log", "a")).attempts]).toEqual([1, []]);
  });

  test("the schema of a queue is there from its first opening to its removal", async () => {
    const stores = process();
    expect([await stores.has(name), await stores.tables(name)]).toEqual([false, undefined]);
    const store = await open(stores);
    await store.transaction.run("CREATE TABLE own (id INT)");
    await store.transaction.run("INSERT INTO own VALUES (?)", 3);
    expect([await stores.queues(), await stores.ownTables(name)]).toEqual([expect.arrayContaining([name]) as string[], ["own"]]);
    const tables = await process().tables(name);
    expect([await tables?.has("own"), await tables?.has("other"), await tables?.get("SELECT id FROM own WHERE id = ?", 3)]).toEqual([
      true,
      false,
      { id: 3 },
    ]);
    expect(await rejection(tables?.all("DELETE FROM own") ?? Promise.resolve())).toMatchObject({
      message: expect.stringContaining("cannot execute DELETE in a read-only transaction"),
    });
    expect(await stores.remove(name)).toBe(true);
    expect([await stores.has(name), await process().tables(name)]).toEqual([false, undefined]);
    await open(process());
  });

  test("several processes create it at the same time", async () => {
    await Promise.all(Array.from({ length: 6 }, () => open()));
    expect(await process().has(name)).toBe(true);
  });
});
