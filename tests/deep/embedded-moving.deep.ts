// A service without RabbitMQ that is moved from SQLite to PostgreSQL, directly and through PgBouncer, as its consumers and clients see it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { consumerStores } from "../../src/store/open";
import { auditIn, startAudit } from "../support/audited";
import { command } from "../support/command";
import { type Places, sqliteIn } from "../support/engines";
import { openEvents } from "../support/event-source";
import { isPgbouncerInstalled, type Pgbouncer, startPgbouncer } from "../support/pgbouncer";
import { describeWithPostgres, type PostgresSchema, useOwnPostgres } from "../support/postgres";
import { type Api, endAll, environment, eventually, run, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { requests } from "../support/requests";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

/** Adds a line for each event, with the version that its record had before. Fails with two items: one for ever, one until it is repaired. */
const ledger = `import { existsSync } from "node:fs";
import { type ConsumerOptions, Reject, runConsumer } from "warren/consumer";
export const ledger = {
  queue: "ledger", events: ["item.*"], exactlyOnce: true,
  retry: { attempts: 1000, firstDelayMs: 50, longestDelayMs: 50 }, breaker: { minimum: 1_000_000 },
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS lines (event TEXT, item BIGINT, version BIGINT, before BIGINT)"),
  async handle({ id, item }, { tx }) {
    if (item.name === "bad") throw new Reject("no such shelf");
    if (item.name === "late" && !existsSync("repaired")) throw new Error("the shelf is broken");
    await tx.run("INSERT INTO lines SELECT ?, ?, ?, coalesce(max(version), 0) FROM lines WHERE item = ?", id, item.id, item.version, item.id);
  },
} satisfies ConsumerOptions<"item.*">;
if (import.meta.main) await runConsumer({ ...ledger, onReady: () => console.log("The ledger is open") });
`;

interface Line {
  readonly event: string;
  readonly item: number;
  readonly version: number;
  readonly before: number;
}

interface Logged {
  readonly position: number;
  readonly event: { readonly id: string; readonly item: { readonly name: string } };
}

describeWithPostgres("a move without RabbitMQ", () => {
  const postgres = useOwnPostgres();
  const folder = useFolder();
  let project: ReturnType<typeof copyProject>;
  let schema: PostgresSchema;
  let env: Record<string, string>;
  let api: Api;
  const { get, post } = requests(() => api.url);
  beforeEach(async () => {
    project = copyProject();
    schema = postgres().schema();
    await Bun.write(join(project.path, "consumers/ledger.ts"), ledger);
    env = { ...environment(folder.path), DATA_DIR: join(folder.path, "data") };
  });
  afterEach(async () => {
    await endAll();
    project.remove();
  });

  async function startConsumers() {
    const options = { env, cwd: project.path };
    const [books, audit] = [run(["consumers/ledger.ts"], options), await startAudit(options)];
    await books.line("The ledger is open");
    return [books, audit] as const;
  }

  async function read<T>(places: Places, queue: string, sql: string): Promise<T[]> {
    const stores = consumerStores(places);
    const tables = await stores.tables(queue);
    try {
      return (await tables?.all<T>(sql)) ?? [];
    } finally {
      await tables?.close();
      await stores.close();
    }
  }
  const linesIn = (places: Places) => read<Line>(places, "ledger", "SELECT event, item, version, before FROM lines");

  /** The positions up to which the consumers have handled the log. */
  const reachedIn = async (places: Places) =>
    (await Promise.all(["ledger", "audit"].map((queue) => read(places, queue, "SELECT DISTINCT position FROM warren_progress")))).flat();

  /** Creates an item and changes it twice. */
  async function live(name: string): Promise<void> {
    const { body } = await post("/items", { name });
    for (let price = 1; price <= 2; price += 1)
      await fetch(`${api.url}/items/${body["id"]}`, {
        method: "PATCH",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ price }),
      });
  }

  async function logOf(): Promise<Logged[]> {
    const all: Logged[] = [];
    for (let after = 0, more = true; more; ) {
      const page: { events: Logged[]; next: number; more: boolean } = await get(`/events?limit=200&after=${after}`);
      all.push(...page.events);
      ({ next: after, more } = page);
    }
    return all;
  }

  /** Kills a service and its consumers under load, moves it by `migrate`, starts it there, and looks at what each has. */
  async function moves(targetUrl: string, migrate: () => Promise<{ code: number }>): Promise<void> {
    const [before, after] = [sqliteIn(join(folder.path, "data")), { database: schema.address, dataDir: join(folder.path, "data") }];
    api = await startApi({ env });
    const consumers = await startConsumers();
    await post("/items", { name: "bad" });
    await post("/items", { name: "late" });
    await Promise.all(Array.from({ length: 20 }, (_, n) => live(`n${n}`)));
    const stream = await openEvents(`${api.url}/events/stream?after=0`);
    const streamed = await stream.take(20);
    const first = await get<{ items: { id: number }[]; next: string }>("/items?limit=10&sort=-updatedAt");
    const listed = (await get<{ items: { id: number }[] }>("/items?limit=100&sort=-updatedAt")).items.map(({ id }) => id);
    const writer = requests(() => api.url).writeOn();
    await writer.until(100);
    for (const each of [...consumers, api]) await each.stop("SIGKILL");
    await writer.stop();
    const [handled, recorded] = [await linesIn(before), await auditIn(before).count()];
    expect(handled.length).toBeGreaterThan(0);
    const reached = await reachedIn(before);
    expect(reached).toHaveLength(2);

    expect(await migrate()).toMatchObject({ code: 0 });
    expect(await linesIn(after)).toEqual(handled);
    expect(await auditIn(after).count()).toBe(recorded);
    expect(await reachedIn(after)).toEqual(reached);

    env = { ...env, DATABASE_URL: targetUrl };
    api = await startApi({ env });
    await startConsumers();
    await Promise.all(Array.from({ length: 5 }, (_, n) => live(`later${n}`)));
    const log = await logOf();
    const ids = log.map(({ event }) => event.id);
    const rest = await openEvents(`${api.url}/events/stream`, { "last-event-id": streamed.at(-1)?.id ?? "" });
    const received = [...streamed, ...(await rest.take(log.length - streamed.length))];
    expect(received.map(({ data }) => (JSON.parse(data) as { id: string }).id)).toEqual(ids);
    await rest.leave();
    const page = await get<{ items: { id: number }[] }>(`/items?limit=100&sort=-updatedAt&after=${first.next}`);
    expect([...first.items, ...page.items].map(({ id }) => id)).toEqual(listed);

    await Bun.write(join(project.path, "repaired"), "");
    const expected = log.filter(({ event }) => event.item.name !== "bad").map(({ event }) => event.id);
    const lines = await eventually(
      async () => {
        const found = await linesIn(after);
        return found.length >= expected.length ? found : undefined;
      },
      "the ledger to have every event",
      60_000,
    );
    expect(lines.map(({ event }) => event).sort()).toEqual(expected.sort());
    expect(lines.filter(({ version, before }) => before !== version - 1)).toEqual([]);
    await auditIn(after).until(ids.length, 60_000);
    const history = await read<{ event: string }>(after, "audit", "SELECT event FROM history");
    expect(history.map(({ event }) => event).sort()).toEqual(ids.sort());
    expect(await read(after, "ledger", "SELECT reason FROM warren_dead")).toEqual([{ reason: "rejected" }]);
  }

  const migrateTo = (url: string) =>
    command("migrate-to-postgres", ["--from", join(folder.path, "data/warren.db")], { ...env, DATABASE_URL: url }, project.path);

  test("keeps what consumers did, waiting retries and dead letters; each event has its effects once, and cursors go on", async () => {
    await moves(schema.url, () => migrateTo(schema.url));
  });

  (isPgbouncerInstalled || process.env["NO_SKIP"] ? describe : describe.skip)("through PgBouncer in transaction mode", () => {
    let pooler: Pgbouncer;
    beforeAll(async () => {
      pooler = await startPgbouncer(postgres());
      await postgres().evaluate("CREATE ROLE service LOGIN; GRANT CREATE ON DATABASE postgres TO service");
    });
    afterAll(() => pooler.dispose());

    test("does the same, once the role has the settings that the command asks for", async () => {
      const url = `postgres://service@127.0.0.1:${pooler.port}/postgres?schema=${schema.name}&pgbouncer=true`;
      await moves(url, async () => {
        const refused = await migrateTo(url);
        expect(refused.code).toBe(1);
        await postgres().evaluate(/(ALTER ROLE .*;)/.exec(refused.stderr)?.[1] ?? refused.stderr);
        await pooler.reconnect();
        return migrateTo(url);
      });
    });
  });
});
