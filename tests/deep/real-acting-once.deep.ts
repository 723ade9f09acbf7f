// Handlers with exactlyOnce that change records, in a process that is killed at each step: what they change and their tables are there
// once, and agree.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readConfig } from "../../src/config/config";
import { type Engine, startEngine } from "../../src/engine/engine";
import { consumerStores } from "../../src/store/open";
import { environmentOf, type Places, sqliteIn } from "../support/engines";
import { describeWithPostgres, schemaIn, useOwnPostgres } from "../support/postgres";
import { endAll, eventually, preloading, type Running, run } from "../support/processes";
import { startProxy } from "../support/proxy";
import { recordedLog } from "../support/recorded-log";
import { rejection } from "../support/rejection";
import { book, libraryCatalogue, recordIn, shelf } from "../support/shelves";
import { useFolder } from "../support/use-folder";

setDefaultTimeout(400_000);
afterEach(endAll);

const folder = useFolder();
const places = 1000;

/** The API, in this process, and what its consumer has done. */
async function libraryAt(at: Places, consumerEnv: Record<string, string> = {}) {
  const env = environmentOf(at);
  const config = readConfig({ isTerminal: false, environment: env });
  const engine: Engine = await startEngine(config, libraryCatalogue, recordedLog().log);
  const { system: store } = engine.dependencies;
  await store.insert(shelf, { room: "A", free: places });
  const own = consumerStores(at);
  const rows = async () => {
    const tables = await own.tables("ledger");
    if (!(await tables?.has("ledger"))) return [];
    return (await tables?.all<{ book: number; free: number }>("SELECT book, free FROM ledger ORDER BY book")) ?? [];
  };
  let added = 0;
  return {
    store,
    async add(count: number): Promise<void> {
      for (let each = 0; each < count; each += 1) await store.insert(book, { title: `Book ${added + each}`, state: "new" });
      added += count;
    },
    /** @param preload file to load first. Default: what ends the process. */
    start: (dieAt?: string, dieAfter = 1, preload = "tests/support/dies-while-acting.ts"): Running =>
      run([...preloading(dieAt && preload), "tests/support/shelf-consumer.ts"], {
        env: { ...env, ...consumerEnv, LOG_LEVEL: "warn", ...(dieAt && { DIE_AT: dieAt, DIE_AFTER: String(dieAfter) }) },
      }),
    untilDone: () => eventually(async () => (await rows()).length >= added || undefined, "all events to be handled", 60_000),
    /** Each event has its changes and its row once, and both say the same. */
    async check(): Promise<void> {
      const ledger = await rows();
      expect(ledger.map(({ book }) => Number(book))).toEqual(Array.from({ length: added }, (_, index) => index + 1));
      const hot = ledger.filter(({ book }) => Number(book) % 2 === 0).map(({ free }) => Number(free));
      // Each has seen what the one before has left.
      expect(hot.sort((a, b) => b - a)).toEqual(hot.map((_, index) => places - index));
      expect(await recordIn(store, shelf, 1)).toMatchObject({ free: places - hot.length });
      const log = (await store.log.read(0, 10_000)).map(({ type }) => type);
      expect([log.filter((type) => type === "shelf.updated").length, log.filter((type) => type === "book.updated").length]).toEqual([
        hot.length,
        added,
      ]);
      expect((await store.timers.list({ limit: 1000 })).length).toBe(added);
    },
    async close(): Promise<void> {
      await own.close();
      await engine.stop();
    },
  };
}

async function killedAtEach(at: Places, steps: readonly string[]): Promise<void> {
  const service = await libraryAt(at);
  try {
    for (const step of steps) {
      for (const after of [1, 3]) {
        await service.add(6);
        const consumer = service.start(step, after);
        expect([step, after, await consumer.exited]).toEqual([step, after, 137]);
      }
    }
    const consumer = service.start();
    await service.untilDone();
    await service.check();
    expect(await consumer.stop()).toBe(0);
  } finally {
    await service.close();
  }
}

test("on SQLite, killed at each step, also between the commit of the API and that of the file", () =>
  killedAtEach(sqliteIn(folder.path), ["begun", "handled", "changing", "changed"]));

describeWithPostgres("on PostgreSQL", () => {
  const postgres = useOwnPostgres();
  let schemas = 0;
  const placesOf = () => {
    schemas += 1;
    return { database: schemaIn(postgres(), `acting_${schemas}`).address, dataDir: folder.path };
  };

  test("killed at each step", () => killedAtEach(placesOf(), ["begun", "handled", "prepared", "sending", "sent", "committed"]));

  test("a planted bug is found: changes that are committed apart from the transaction", async () => {
    const service = await libraryAt(placesOf());
    try {
      await service.add(6);
      expect(await service.start("apart", 2, "tests/support/planted/changes-apart.ts").exited).toBe(137);
      service.start();
      await service.untilDone();
      expect(await rejection(service.check())).toBeDefined();
    } finally {
      await service.close();
    }
  });

  test("whose connections are cut again and again, also between the COMMIT and its answer", async () => {
    const proxy = await startProxy(postgres().port);
    const at = placesOf();
    const { database } = at;
    const url = `postgres://${database.user}@127.0.0.1:${proxy.port}/${database.database}?schema=${database.schema}`;
    const service = await libraryAt(at, { DATABASE_URL: url });
    try {
      const consumer = service.start();
      await consumer.line("ready");
      for (let cuts = 0; cuts < 12; cuts += 1) {
        const end = await service.store.log.end();
        await service.add(10);
        // In the middle of what it does with them.
        await eventually(async () => (await service.store.log.end()) > end + 10 + (cuts % 4) || undefined, "changes", 30_000);
        proxy.cut();
      }
      await service.untilDone();
      await service.check();
      expect(await consumer.stop()).toBe(0);
    } finally {
      proxy.close();
      await service.close();
    }
  });

  test("while the database is restarted", async () => {
    const service = await libraryAt(placesOf());
    try {
      const consumer = service.start();
      await consumer.line("ready");
      for (const how of ["immediate", "fast"] as const) {
        await service.add(20);
        await postgres().stop(how);
        await postgres().start();
        await eventually(() => service.store.log.end().catch(() => undefined), "the API to reach it");
      }
      await service.untilDone();
      await service.check();
      expect(await consumer.stop()).toBe(0);
    } finally {
      await service.close();
    }
  });
});
