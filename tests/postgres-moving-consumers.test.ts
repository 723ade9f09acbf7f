// Moving what consumers keep from their SQLite files to PostgreSQL.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { onlyLane } from "../src/store/consumer/lanes";
import type { ConsumerStore } from "../src/store/consumer/store";
import type { ConsumerStores } from "../src/store/consumer/stores";
import type { Transaction } from "../src/store/consumer/transaction";
import { atOnce } from "../src/store/consumer/waiting-table";
import type { ConsumerMove } from "../src/store/moving/consumer-move";
import { move } from "../src/store/moving/move";
import { consumerStores, openConsumerMoves, openMove, openMoveTo } from "../src/store/open";
import { laneCount } from "../src/store/postgres/consumer/schema";
import { PostgresConsumerStores } from "../src/store/postgres/consumer/stores";
import { steadyNow } from "../src/timing/clock";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { testInFull } from "./support/in-full";
import { fillStore, resources } from "./support/moving";
import { describeWithPostgres, usePostgres } from "./support/postgres";
import { rejection } from "./support/rejection";
import { withStore } from "./support/use-store";

const now = steadyNow();
const lanes = Array.from({ length: laneCount }, (_, number) => ({ number, epoch: 1 }));
const hour = 3_600_000;
const bodyOf = (n: number) => JSON.stringify({ id: `e${n}`, type: "author.created", author: { id: n }, timestamp: "" });

/** Fills all tables of a consumer. */
async function fillConsumer(store: ConsumerStore, logId: string): Promise<void> {
  await store.begin(logId, 3, ["author.created"]);
  await store.saveProgress(logId, [{ lane: onlyLane, position: 10, begun: 12 }]);
  await store.begin("of another log", 0, []);
  const failed = { attempts: 2, firstFailure: "2026-02-18T18:00:00.000Z", replay: "yes", traceparent: null } as const;
  for (let n = 1; n <= 70; n += 1) {
    const body = n === 70 ? "no JSON \u0001" : bodyOf(n);
    await store.waiting.add({ id: `e${n}`, body, dueAt: n === 1 ? atOnce : now + n * hour, delayMs: 100 * hour, ...failed });
  }
  await store.waiting.begin([2]);
  await store.waiting.remove(3);
  const dead = { ...failed, type: "author.created", reason: "rejected", error: "back\\slash \0", stack: null, lastFailure: "later" };
  for (let n = 80; n < 85; n += 1) await store.dead.add({ ...dead, id: `e${n}`, body: bodyOf(n) });
  await store.dead.remove(5);
  await store.inbox.add(["e90", "E91"], now - hour);
  await store.attempts.add("e80", { attempt: 1, at: now, outcome: "dead-letter", reason: "rejected", error: "no \0", dueAt: null });
  for (let n = 0; n < 3; n += 1) await store.countDeath("e95");
  const replay = { logId, queue: "q", fill: 0, selection: "{}", first: 2, last: 9, createdAt: "2026-02-18T18:00:00.000Z" };
  for (const id of ["done", "running"]) {
    await store.replays.add({ ...replay, id });
    await store.replays.save(id, [{ lane: onlyLane, position: 5, begun: 7, sent: 3 }]);
  }
  await store.replays.end("done", "2026-02-19T18:00:00.000Z", "cancelled");
}

/** All that is in a consumer's store, by its port. */
async function keptBy(store: ConsumerStore, stores: ConsumerStores, queue: string, logId: string): Promise<object> {
  const due = await store.waiting.due(Number.MAX_SAFE_INTEGER, queue === "" ? [] : lanes, new Set(), 1000);
  return {
    progress: [await store.progress(logId), await store.progress("of another log"), await store.followedTypes(logId)],
    // Their clocks differ by less.
    waiting: due.map(({ dueAt, ...rest }) => ({ ...rest, lane: 0, hours: Math.round(dueAt / hour) })),
    dead: await store.dead.list({}, 0, 1000),
    inbox: [await store.inbox.has("e90"), await store.inbox.has("E91"), await store.inbox.has("e1")],
    replays: await store.replays.list(10),
    histories: await Promise.all(["e1", "e80", "e90"].map((id) => stores.history(queue, logId, id))),
  };
}

describeWithPostgres("a consumer", () => {
  const postgres = usePostgres();
  let folder: ReturnType<typeof temporaryFolder>;
  let logId: string;
  let opened: PostgresConsumerStores[] = [];
  beforeEach(async () => {
    folder = temporaryFolder();
    logId = await withStore(sqliteIn(folder.path), resources, async (store) => {
      await fillStore(store, 12);
      return store.logId;
    });
  });
  afterEach(async () => {
    await Promise.all(opened.map((each) => each.close()));
    opened = [];
    const schemas = await postgres().evaluate<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE '${postgres().name}.%'`,
    );
    for (const { name } of schemas) await postgres().evaluate(`DROP SCHEMA "${name}" CASCADE`);
    await postgres().drop();
    folder.remove();
  });
  const places = () => ({ database: postgres().address, dataDir: folder.path });
  /** Consumers as they were when a process of theirs has ended: in this one, their files stay open until their memory is freed. */
  const files = () => consumerStores(sqliteIn(join(folder.path, "running")));
  const fileOf = (queue: string) => join(folder.path, `consumers/${queue}.db`);
  function inPostgres(): PostgresConsumerStores {
    const stores = new PostgresConsumerStores(postgres().address);
    opened.push(stores);
    return stores;
  }
  async function inFile<T>(queue: string, use: (store: ConsumerStore, stores: ConsumerStores) => Promise<T>): Promise<T> {
    const stores = files();
    const store = await stores.open(queue, { durable: true });
    const result = await use(store, stores).finally(() => store.close());
    const db = new Database(join(folder.path, `running/consumers/${queue}.db`));
    mkdirSync(join(folder.path, "consumers"), { recursive: true });
    db.run("VACUUM INTO ?", [fileOf(queue)]);
    db.close();
    return result;
  }

  async function moved(setups: Readonly<Record<string, ConsumerMove["setup"]>> = {}): Promise<void> {
    const ends = await openMove(sqliteIn(folder.path).database.file, places(), resources, { locked: true });
    const sources = await openConsumerMoves(folder.path, { locked: true, again: true });
    const consumers = sources.map((source) => ({ source, setup: setups[source.queue], replace: true }));
    try {
      if (ends) await move(ends.source, ends.target, resources, { consumers, onProgress: () => {}, stop: new AbortController().signal });
    } finally {
      for (const source of sources) source.close();
      ends?.source.close();
      await ends?.target.close();
    }
  }
  async function movedAlone(setup?: ConsumerMove["setup"]): Promise<void> {
    const sources = await openConsumerMoves(folder.path, { locked: true, again: false });
    const target = openMoveTo(places());
    try {
      for (const source of sources) await target?.moveConsumer({ source, setup, replace: false });
    } finally {
      for (const source of sources) source.close();
      await target?.close();
    }
  }

  test("keeps its places, what waits, dead letters, inbox, attempts and replays", async () => {
    const kept = await inFile("audit", async (store, stores) => {
      await fillConsumer(store, logId);
      return keptBy(store, stores, "audit", logId);
    });
    await moved();
    const stores = inPostgres();
    const store = await stores.open("audit", { durable: true });
    const now = (await keptBy(store, stores, "audit", logId)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(kept)) expect({ [name]: now[name] }).toEqual({ [name]: moveEscapes(value) });
    expect(await store.countDeath("e95")).toBe(4);
    // Each lane goes on from there, and each event is in the lane of its record.
    expect(await store.takeLanes(logId, lanes)).toEqual(lanes.map(() => expect.objectContaining({ position: 10, begun: 12 })));
    const inLane = await store.waiting.due(Number.MAX_SAFE_INTEGER, [{ number: 5, epoch: 1 }], new Set(), 100);
    expect(inLane.map(({ id }) => id)).toEqual(["e5", "e37", "e69"]);
    await store.waiting.add({
      id: "new",
      body: "",
      attempts: 1,
      dueAt: atOnce,
      delayMs: 1,
      firstFailure: null,
      replay: "no",
      traceparent: null,
    });
    await expect(consumerStores(sqliteIn(folder.path)).open("audit", { durable: true })).rejects.toThrow("was moved to postgres://");
  });

  test("keeps the tables of its handlers, which its setup creates", async () => {
    await inFile("stock", async (store) => {
      const tx = store.transaction;
      await tx.run(
        "CREATE TABLE places (code TEXT PRIMARY KEY, big INTEGER, price REAL, image BLOB, isOpen INTEGER) STRICT, WITHOUT ROWID",
      );
      await tx.run("CREATE TABLE moves (number INTEGER PRIMARY KEY AUTOINCREMENT, place TEXT REFERENCES places, at TEXT)");
      await tx.run("INSERT INTO places VALUES (?, ?, ?, ?, ?)", "ünï'\"", 2n ** 62n, 0.1, new Uint8Array([0, 255, 10]), 1);
      await tx.run("INSERT INTO places VALUES ('none', NULL, 1e300, NULL, 0)");
      for (let n = 0; n < 5000; n += 1) await tx.run("INSERT INTO moves (place, at) VALUES ('none', '2026-02-18T18:00:00Z')");
      await tx.run("DELETE FROM moves WHERE number = 1");
    });
    const setup = async (tx: Transaction) => {
      await tx.run(
        "CREATE TABLE IF NOT EXISTS places (code TEXT PRIMARY KEY, big BIGINT, price DOUBLE PRECISION, image BYTEA, isOpen BOOLEAN)",
      );
      await tx.run("CREATE TABLE IF NOT EXISTS moves (number BIGSERIAL PRIMARY KEY, place TEXT REFERENCES places, at TIMESTAMPTZ)");
      await tx.run("INSERT INTO places VALUES ('none', 7, 7, NULL, true) ON CONFLICT DO NOTHING");
      await tx.run("CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'");
      await tx.run("CREATE OR REPLACE TRIGGER no BEFORE INSERT OR DELETE ON moves FOR EACH ROW EXECUTE FUNCTION no()");
    };
    await moved({ stock: setup });
    const tables = await inPostgres().tables("stock");
    expect(
      await tables?.all("SELECT code, big::text AS big, price, encode(image, 'hex') AS image, isOpen FROM places ORDER BY code"),
    ).toEqual([
      { code: "none", big: null, price: 1e300, image: null, isopen: false },
      { code: "ünï'\"", big: String(2n ** 62n), price: 0.1, image: "00ff0a", isopen: true },
    ]);
    const numbers = "SELECT count(*)::int AS rows, min(number)::int AS first, nextval('moves_number_seq')::int AS next FROM moves";
    expect(await postgres().evaluate(`SET search_path = "${postgres().name}.stock"; ${numbers}`)).toEqual([
      { rows: 4999, first: 2, next: 5001 },
    ]);
    await expect(
      inPostgres()
        .open("stock", { durable: true })
        .then((store) => store.transaction.run("DELETE FROM moves")),
    ).rejects.toThrow("no");
  });

  testInFull("with tables that do not fit is refused, and the move goes on when they do", async () => {
    await inFile("stock", async ({ transaction: tx }) => {
      await tx.run("CREATE TABLE counts (item TEXT, count TEXT)");
      await tx.run("INSERT INTO counts VALUES ('a', 'many'), ('b', '7')");
      await tx.run("CREATE TABLE empty (x TEXT)");
    });
    const creating = (sql: string) => ({ stock: (tx: Transaction) => tx.run(sql) });
    expect((await rejection(moved(creating("CREATE TABLE other (x TEXT)")))).message).toBe(
      'The `setup` of "stock" has not created its table "counts" in PostgreSQL.',
    );
    expect((await rejection(moved(creating("CREATE TABLE counts (item TEXT)")))).message).toBe(
      'The table "counts" that the `setup` of "stock" has created in PostgreSQL has no column "count".',
    );
    expect((await rejection(moved(creating("CREATE TABLE counts (item TEXT, count INT)")))).message).toStartWith(
      'The table "counts" of "stock" cannot be moved: 22P02: invalid input syntax',
    );
    expect((await rejection(moved(creating("CREATE TABLE counts (item TEXT, count VARCHAR(2))")))).message).toBe(
      'What was copied of the table "counts" of "stock" differs.',
    );
    expect((await rejection(moved(creating("CREATE TABLE counts (item TEXT) STRICT")))).message).toContain("syntax error");
    // Nothing is retired before all has moved.
    expect(existsSync(`${fileOf("stock")}.moved`)).toBe(false);
    await moved(creating("CREATE TABLE counts (item TEXT, count TEXT)"));
    const tables = await inPostgres().tables("stock");
    expect(await tables?.all("SELECT * FROM counts ORDER BY item")).toEqual([
      { item: "a", count: "many" },
      { item: "b", count: "7" },
    ]);
  });

  testInFull("that runs, or whose file is of another version, keeps all from being moved", async () => {
    await inFile("busy", async () => {});
    const stores = consumerStores(sqliteIn(folder.path));
    const opening = (locked: boolean) => openConsumerMoves(folder.path, { locked, again: true });
    const share = await stores.join("busy", () => {});
    const message = 'The consumer of "busy" is running. Stop it first';
    await expect(opening(true)).rejects.toThrow(message);
    for (const seen of await opening(false)) seen.close();
    await share.leave();
    // One that has its queue in RabbitMQ has only its file open, and needs it only if it has effects there.
    const running = await stores.open("busy", { durable: true });
    for (const seen of await opening(true)) seen.close();
    await running.inbox.add(["a"], now);
    await expect(opening(true)).rejects.toThrow(message);
    const db = new Database(fileOf("busy"));
    db.run("PRAGMA user_version = 1");
    db.close();
    await expect(opening(true)).rejects.toThrow("Start its consumer of this version with it once");
    await running.close();
  });

  testInFull("on another machine is moved after the API, unless it has been started with PostgreSQL before", async () => {
    await inFile("late", async (store) => {
      await store.inbox.add(["a"], now);
      await store.transaction.run("CREATE TABLE seen (id TEXT)");
      await store.transaction.run("INSERT INTO seen VALUES ('a')");
    });
    const setup = (tx: Transaction) => tx.run("CREATE TABLE IF NOT EXISTS seen (id TEXT)");
    expect((await rejection(movedAlone(setup))).message).toContain("Move the API first");
    const ends = await openMove(sqliteIn(folder.path).database.file, places(), resources, { locked: true });
    if (ends) await move(ends.source, ends.target, resources, { onProgress: () => {}, stop: new AbortController().signal });
    ends?.source.close();
    await ends?.target.close();
    await movedAlone(setup);
    const stores = inPostgres();
    const tables = await stores.tables("late");
    expect(await tables?.all("SELECT * FROM seen")).toEqual([{ id: "a" }]);
    expect(await (await stores.open("late", { durable: true })).inbox.has("a")).toBe(true);
    expect((await rejection(movedAlone(setup))).message).toStartWith('The consumer of "late" has been started with postgres://');
    // The API's schema is dropped, but not that of the consumer.
    await postgres().drop();
    expect((await rejection(moved())).message).toContain(`the schema "${postgres().name}.late" of an earlier service is left`);
  });
});

/** Returns a value with U+0000 and backslashes in errors escaped, as PostgreSQL has to keep them. */
function moveEscapes(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value).replaceAll("back\\\\slash \\u0000", "back\\\\\\\\slash \\\\0").replaceAll("no \\u0000", "no \\\\0"),
  );
}
