// An old snapshot, such as pg_dump holds: PostgreSQL then keeps every version of each row that it has had since, so that a row which each
// change updates would make changes dearer and dearer. Counts the pages of the service's tables that a change reads, not its duration.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { temporaryFolder } from "../support/folder";
import { describeWithPostgres, type PostgresSchema, useOwnPostgres } from "../support/postgres";
import { schemaWithQueues } from "../support/postgres-transport";
import { type Api, endAll, eventually, type Running, send, startApi, startLogger } from "../support/processes";
import { describeWithRabbit, useRabbit } from "../support/rabbit";

setDefaultTimeout(300_000);

/** So few that hardly any changes share a commit. */
const clients = 2;
/** Number of changes that are counted, and of those in between with the snapshot. */
const [counted, between] = [1000, 8000];

describeWithPostgres("while an old snapshot is held,", () => {
  const postgres = useOwnPostgres();

  const behaves = (rabbitmqUrl: () => string) => {
    let schema: PostgresSchema;
    let folder: ReturnType<typeof temporaryFolder>;
    let api: Api;
    let logger: Running;
    let created = 0;
    const create = async () => {
      const { status } = await send("POST", `${api.url}/items`, { name: `n${created}` });
      if (status !== 201) throw new Error(`A change is answered with ${status}.`);
      created += 1;
    };
    const load = async (count: number) => {
      const end = created + count;
      await Promise.all(
        Array.from({ length: clients }, async () => {
          while (created < end) await create();
        }),
      );
    };

    /** Resolves with what the server has counted, once it has counted all changes. Its sessions report that about once a second. */
    const pagesRead = () =>
      eventually(
        async () => {
          await create();
          const [row] = await schema.evaluate<{ pages: number; events: number }>(
            `SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::int8::float8 AS pages,
             (SELECT sum(n_tup_ins)::float8 FROM pg_stat_user_tables WHERE schemaname = '${schema.name}' AND relname LIKE 'warren_events_%') AS events
           FROM pg_statio_user_tables WHERE schemaname = '${schema.name}'`,
          );
          return row?.events === created ? { pages: row.pages, changes: created } : undefined;
        },
        "the server to have counted all changes",
        60_000,
      );
    const pagesPerChange = async () => {
      const before = await pagesRead();
      await load(counted);
      const after = await pagesRead();
      return (after.pages - before.pages) / (after.changes - before.changes);
    };

    beforeAll(async () => {
      schema = schemaWithQueues(postgres());
      folder = temporaryFolder();
      const env = { DATABASE_URL: schema.url, DATA_DIR: folder.path, PORT: "0", RABBITMQ_URL: rabbitmqUrl() };
      api = await startApi({ env });
      logger = await startLogger(["--queue", "item_events", "--json"], { env });
    });
    afterAll(async () => {
      await logger?.stop();
      await api?.stop();
      await endAll();
      await schema?.drop();
      folder?.remove();
    });

    test("changes read as many pages as before, and a consumer keeps up", async () => {
      await load(counted);
      const before = await pagesPerChange();
      const sql = new Bun.SQL({
        adapter: "postgres",
        hostname: postgres().socket,
        port: postgres().port,
        username: "warren",
        database: "postgres",
      });
      const session = await sql.reserve();
      try {
        await session.unsafe("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        await session.unsafe("SELECT txid_current_snapshot()");
        await load(between);
        const after = await pagesPerChange();
        console.log(JSON.stringify({ before, after }));
        expect(after / before).toBeLessThan(1.5);
        await eventually(() => logger.stdout.length >= created || undefined, "the consumer to have all events", 60_000);
      } finally {
        await sql.close({ timeout: 0 });
      }
    });
  };

  describeWithPostgres("without RabbitMQ,", () => behaves(() => "none"));
  describeWithRabbit("with RabbitMQ,", () => {
    const rabbit = useRabbit();
    behaves(() => rabbit().url);
  });
});
