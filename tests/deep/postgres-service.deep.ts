// The whole service on a PostgreSQL that is away, read-only, full or newer: a clear answer, no loss, and everything works again by
// itself. The password appears nowhere.
import { afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { pageText } from "../support/doc-pages";
import { temporaryFolder } from "../support/folder";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { canLimitDisk } from "../support/postgres-cluster";
import { type Api, endAll, eventually, run, send, startApi } from "../support/processes";

setDefaultTimeout(120_000);

const password = "s3cret%21";
const own = canLimitDisk() ? { diskMiB: 160, settings: { max_wal_size: "32MB", min_wal_size: "32MB", wal_recycle: "off" } } : {};

describeWithPostgres("the service", () => {
  const postgres = useOwnPostgres({
    ...own,
    access: ["host all warren 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256"],
  });
  let env: Record<string, string>;
  let api: Api;
  const outputs: string[] = [];
  const url = (schema: string) => `postgres://shop:${password}@127.0.0.1:${postgres().port}/postgres?schema=${schema}`;
  let schemas = 0;
  beforeAll(() => postgres().evaluate("CREATE ROLE shop LOGIN PASSWORD 's3cret!'; GRANT CREATE ON DATABASE postgres TO shop"));
  beforeEach(async () => {
    schemas += 1;
    env = { DATABASE_URL: url(`service_${schemas}`), PORT: "0", RABBITMQ_URL: "none", LOG_LEVEL: "debug" };
    api = await startApi({ env });
  });
  afterEach(async () => {
    outputs.push(...api.stdout, ...api.stderr);
    await endAll();
  });

  const create = (name = "a") => send("POST", `${api.url}/items`, { name });
  const statuses = async () => [
    (await create()).status,
    (await send("GET", `${api.url}/items`)).status,
    (await send("GET", `${api.url}/health/ready`)).status,
  ];
  const works = () => eventually(async () => ((await statuses()).join() === "201,200,200" ? true : undefined), "the service to work again");

  test("answers 503 while the database is away, and works when it is back", async () => {
    expect(await statuses()).toEqual([201, 200, 200]);
    for (const stop of [postgres().kill, () => postgres().stop("immediate"), postgres().stop]) {
      await stop();
      expect(await statuses()).toEqual([503, 503, 503]);
      const problem = (await (await create()).json()) as { title: string; detail?: string };
      outputs.push(JSON.stringify(problem), await (await send("GET", `${api.url}/health/ready`)).text());
      expect((await send("GET", `${api.url}/health/live`)).status).toBe(200);
      await postgres().start();
      await works();
    }
  });

  test("answers 503 to changes while the database is read-only, and reads go on", async () => {
    const set = async (value: string | null) => {
      await postgres().configure({ default_transaction_read_only: value });
      // New transactions of open sessions see it, too.
      await eventually(
        async () =>
          (await postgres().evaluate<{ on: boolean }>("SELECT current_setting('default_transaction_read_only') = 'on' AS on"))[0]?.on ===
            (value === "on") || undefined,
        "the setting",
      );
    };
    await set("on");
    await eventually(async () => ((await create()).status === 503 ? true : undefined), "changes to be refused");
    expect(await statuses()).toEqual([503, 200, 503]);
    await set(null);
    await works();
  });

  test("answers 503 while its schema is not there, as during a restore, and works when it is back", async () => {
    const name = `service_${schemas}`;
    await create();
    await postgres().evaluate(`ALTER SCHEMA ${name} RENAME TO ${name}_away`);
    const seen = await statuses();
    expect(seen).toEqual([503, 503, 503]);
    await postgres().evaluate(`ALTER SCHEMA ${name}_away RENAME TO ${name}`);
    await works();
  });

  if (canLimitDisk()) {
    test("answers 503 to changes while the disk is full, loses nothing, and works when there is room", async () => {
      postgres().fill();
      const created: string[] = [];
      let refused = 0;
      for (let index = 0; refused < 20; index += 1) {
        const answer = await send("POST", `${api.url}/items`, { name: `n${index}`, description: "d".repeat(2000) });
        if (answer.status === 201) created.push(`n${index}`);
        else refused += 1;
        if (answer.status !== 201) expect(answer.status).toBe(503);
      }
      postgres().makeRoom();
      if (!postgres().isUp()) await postgres().start();
      await works();
      const events = await postgres().evaluate<{ name: string }>(
        `SELECT body::json->'item'->>'name' AS name FROM service_${schemas}.events WHERE type = 'item.created'`,
      );
      const names = new Set(events.map(({ name }) => name));
      expect(created.filter((name) => !names.has(name))).toEqual([]);
    });
  }

  describe("at the start", () => {
    const fails = async (changed: Record<string, string>) => {
      const program = run(["src/main.ts"], { env: { ...env, ...changed } });
      const code = await program.exited;
      const output = [...program.stdout, ...program.stderr].join("\n");
      outputs.push(output);
      return [code, output];
    };

    test("says what is wrong with the address, the password, the database and the schema", async () => {
      const { port } = postgres();
      expect(await fails({ DATABASE_URL: url("x").replace(String(port), "1") })).toEqual([1, expect.stringContaining("cannot be reached")]);
      expect(await fails({ DATABASE_URL: url("x").replace(password, "s3cretwrong") })).toEqual([
        1,
        expect.stringContaining("refused the password"),
      ]);
      expect(await fails({ DATABASE_URL: url("x").replace("/postgres?", "/nothing?") })).toEqual([
        1,
        expect.stringContaining("does not have the database"),
      ]);
      expect(await fails({ DATABASE_URL: `${url("x")}&sslmode=require` })).toEqual([1, expect.stringContaining("does not offer TLS")]);
      await postgres().evaluate(`UPDATE service_${schemas}.warren_schema_version SET version = 999`);
      expect(await fails({})).toEqual([1, expect.stringContaining("it was last used by a newer version of Warren")]);
    });
  });

  test("runs as a role without the right to create anything, after the owner of the schema has started it once", async () => {
    const [roles = ""] = /```sql\n([^`]+)```/.exec(pageText("docs/guide/postgres.md"))?.slice(1) ?? [];
    const inDatabase = roles.replaceAll("DATABASE shop", "DATABASE postgres");
    await postgres().evaluate(inDatabase.replaceAll(/\bshop\b/g, "runner").replaceAll("shop_owner", "runner_owner"));
    const as = (user: string, secret: string) => ({
      ...env,
      DATABASE_URL: `postgres://${user}:${encodeURIComponent(secret)}@127.0.0.1:${postgres().port}/postgres`,
    });
    const owner = await startApi({ env: as("runner_owner", "first secret") });
    expect(await owner.stop()).toBe(0);
    await api.stop();
    api = await startApi({ env: as("runner", "second secret") });
    expect(await statuses()).toEqual([201, 200, 200]);
    const { id } = (await (await create("b")).json()) as { id: number };
    expect((await send("PATCH", `${api.url}/items/${id}`, { price: 2 })).status).toBe(200);
    expect((await send("DELETE", `${api.url}/items/${id}`)).status).toBe(204);
    const problems = [...api.stdout, ...api.stderr].filter((line) => /"level":"(warn|error|fatal)"/.test(line));
    expect(problems).toEqual([]);
  });

  test("shows its password nowhere, and no command does", async () => {
    const folder = temporaryFolder();
    const file = `sqlite:${folder.path}/warren.db`;
    expect(await (await startApi({ env: { ...env, DATABASE_URL: file } })).stop()).toBe(0);
    const programs = [
      ...["status", "status --json", "doctor", "events show x", "queues list", "queues remove x --yes", "dead-letters list"],
      ...[
        "replay --queue x --dry-run",
        "export item",
        "import item",
        "erase item 1",
        `migrate-to-postgres --dry-run --from ${folder.path}/warren.db`,
      ],
    ].map((words) => `src/commands/${words.replace(" ", ".ts ").replace(/^\w+$/, "$&.ts")}`);
    const good = url(`service_${schemas}`);
    const wrong = [
      good.replace("s3cret", "s3cretly"),
      good.replace(/:\d+\//, ":1/"),
      `${good}&sslmode=require`,
      good.replace("postgres?", "nothing?"),
    ];
    for (const address of [good, ...wrong]) {
      const ended = [...programs, "consumers/audit.ts --show 1"].map(async (words) => {
        const program = run(words.split(" "), { env: { ...env, DATABASE_URL: address, DATA_DIR: folder.path }, input: "" });
        const code = await program.exited;
        outputs.push(...program.stdout, ...program.stderr);
        // Each ends by itself, whatever the address.
        if (address !== good) expect([words, code]).toEqual([words, 1]);
      });
      await Promise.all(ended);
    }
    folder.remove();
    outputs.push(await (await fetch(`${api.url}/metrics`)).text());
    await api.stop();
    outputs.push(...api.stdout, ...api.stderr);
    const shown = outputs.join("\n");
    expect(shown).toContain(`postgres://127.0.0.1:${postgres().port}/postgres`);
    expect(shown).not.toContain("s3cret");
  });
});
