// Consumers whose PostgreSQL is away, frozen, read-only or refuses them: no event is lost, given up or handled twice, everything goes on by
// itself, and the password appears nowhere.
import { afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { auditIn, Changes, inOrder } from "../support/audited";
import type { Places } from "../support/engines";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { type Api, endAll, eventually, type Running, run, startApi } from "../support/processes";
import { startProxy, type TcpProxy } from "../support/proxy";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";

setDefaultTimeout(120_000);

describeWithPostgres("a consumer", () => {
  const postgres = useOwnPostgres({ access: ["local all warren trust", "host all all 127.0.0.1/32 scram-sha-256"] });
  let folder: ReturnType<typeof temporaryFolder>;
  let places: Places;
  let proxy: TcpProxy;
  let env: Record<string, string>;
  let api: Api;
  let audit: Running;
  let changes: Changes;
  let healthPort: number;
  let schemas = 0;
  const outputs: string[] = [];

  beforeAll(async () => {
    await postgres().evaluate(`ALTER ROLE warren PASSWORD 'root'; CREATE ROLE shop LOGIN PASSWORD 's3cret!';
      CREATE ROLE worker LOGIN PASSWORD 'hidd3n!' IN ROLE shop; GRANT CREATE ON DATABASE postgres TO shop`);
  });
  afterEach(async () => {
    await postgres().evaluate("ALTER ROLE worker RESET default_transaction_read_only; ALTER ROLE worker PASSWORD 'hidd3n!'");
    await endAll();
    proxy.close();
    folder.remove();
    expect(outputs.filter((line) => /s3cret|hidd3n/.test(line))).toEqual([]);
  });

  const startAudit = async () => {
    audit = run(["consumers/audit.ts", "--health-port", String(healthPort)], { env });
  };
  const health = async () => {
    const answer = await fetch(`http://127.0.0.1:${healthPort}/health/ready`);
    const body = await answer.text();
    outputs.push(body);
    return { status: answer.status, body };
  };
  const untilHealth = (status: number) =>
    eventually(async () => ((await health()).status === status ? true : undefined), `status ${status}`);
  const endConnections = () => postgres().evaluate("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'worker'");
  const create = async (count: number) => {
    await Promise.all(Array.from({ length: count }, (_, number) => changes.create({ name: `n${number}` })));
  };

  /** Checks that every change is in the history once, and that no attempt was counted. */
  async function hasAll(): Promise<void> {
    const history = auditIn(places);
    await history.until(changes.done.length, 60_000);
    expect(await history.lines()).toEqual(inOrder(changes.done));
    expect(await history.state()).toMatchObject({ dead: [], waiting: 0 });
    outputs.push(...audit.stdout, ...audit.stderr);
    expect(audit.stderr.filter((line) => /"attempts?"/.test(line))).toEqual([]);
    expect(await audit.stop()).toBe(0);
  }
  const schemaName = () => `away_${schemas}`;

  function stays(rabbitmqUrl: () => string): void {
    beforeEach(async () => {
      schemas += 1;
      folder = temporaryFolder();
      healthPort = freePort();
      const url = (user: string, port: number) => `postgres://${user}@127.0.0.1:${port}/postgres?schema=${schemaName()}`;
      const database = { ...postgres().schema(schemaName()).address, password: "root" };
      places = { database, dataDir: folder.path };
      proxy = await startProxy(postgres().port);
      const others = { DATA_DIR: folder.path, PORT: "0", RABBITMQ_URL: rabbitmqUrl(), LOG_LEVEL: "debug" };
      api = await startApi({ env: { ...others, DATABASE_URL: url("shop:s3cret%21", postgres().port) } });
      env = { ...others, DATABASE_URL: url("worker:hidd3n%21", proxy.port) };
      changes = new Changes(api.url);
      await startAudit();
      await audit.line("The audit is running");
      await create(1);
      await auditIn(places).until(1);
    });

    test("that is killed while events come", async () => {
      const creating = create(50).catch(() => {});
      await postgres().kill();
      await creating;
      // One on RabbitMQ that has handled all its events does not look at the database.
      if (rabbitmqUrl() === "none") await untilHealth(503);
      await postgres().start();
      await eventually(
        () =>
          create(5).then(
            () => true,
            () => undefined,
          ),
        "the API to work",
      );
      await untilHealth(200);
      // Some of the first may have been committed without an answer.
      const history = auditIn(places);
      await history.until(changes.done.length, 60_000);
      const lines = await history.lines();
      expect(inOrder(changes.done).filter((line) => !lines.includes(line))).toEqual([]);
      expect(await history.state()).toMatchObject({ dead: [], waiting: 0 });
      expect(await audit.stop()).toBe(0);
    });

    test("that is read-only for it", async () => {
      await postgres().evaluate("ALTER ROLE worker SET default_transaction_read_only = on");
      await endConnections();
      await create(20);
      await audit.line("is read-only", "stderr");
      await untilHealth(503);
      await postgres().evaluate("ALTER ROLE worker RESET default_transaction_read_only");
      await endConnections();
      await untilHealth(200);
      await hasAll();
    });

    test("that is cut off, frozen, and refuses its password", async () => {
      proxy.cut();
      await create(5);
      proxy.freeze();
      await create(5);
      await auditIn(places).until(changes.done.length, 60_000);
      await postgres().evaluate("ALTER ROLE worker PASSWORD 'other'");
      await endConnections();
      await create(5);
      await audit.line("refused the password", "stderr");
      await untilHealth(503);
      await postgres().evaluate("ALTER ROLE worker PASSWORD 'hidd3n!'");
      await untilHealth(200);
      await hasAll();
    });

    test("that is away at its start", async () => {
      expect(await audit.stop()).toBe(0);
      await create(5);
      await postgres().stop();
      await startAudit();
      await audit.line("cannot be reached", "stderr");
      await postgres().start();
      await audit.line("The audit is running");
      await hasAll();
    });
  }

  describe("that reads the log in a PostgreSQL", () => stays(() => "none"));

  describeWithRabbit("of a queue on RabbitMQ, with its tables in a PostgreSQL", () => {
    const rabbit = useRabbit();
    afterEach(async () => {
      await endAll();
      await emptyBroker(rabbit());
    });
    stays(() => rabbit().url);
  });
});
