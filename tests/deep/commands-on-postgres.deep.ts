// Every command on PostgreSQL, alone and with RabbitMQ, on a project with resources of its own. Each has to end by itself.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { DeadLetterPage } from "../../src/delivery/dead-letters";
import { type CommandName, command, type Ended } from "../support/command";
import { temporaryFolder } from "../support/folder";
import { describeWithPostgres, type PostgresSchema, sharedPostgres } from "../support/postgres";
import { schemaWithQueues } from "../support/postgres-transport";
import { type Api, endAll, eventually, type Running, run, send, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";

setDefaultTimeout(120_000);

const files = {
  "src/domain/parcel.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const parcel = defineResource({ name: "parcel", fields: { code: Type.String({ minLength: 1 }) }, unique: ["code"], example: { code: "1" } });
`,
  "routes/parcels.ts": `import { parcel } from "../src/domain/parcel";
import { crud } from "warren/crud";

export default crud(parcel);
`,
  "consumers/counter.ts": `import { type ConsumerOptions, everyFlagHelp, readFlags, Reject, runConsumer } from "warren/consumer";

const counter = {
  queue: "counter",
  events: ["parcel.*"],
  exactlyOnce: true,
  setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS counts (type TEXT PRIMARY KEY, count BIGINT NOT NULL)"),
  async handle({ type, parcel }, { tx }) {
    if (parcel.code.startsWith("bad")) throw new Reject("bad code");
    await tx.run("INSERT INTO counts VALUES (?, 1) ON CONFLICT (type) DO UPDATE SET count = counts.count + 1", type);
  },
} satisfies ConsumerOptions<"parcel.*">;

await runConsumer({ ...counter, onReady: () => console.log("Counting") }, readFlags(\`Counts.\\n\${everyFlagHelp}\`, {}));
`,
  "count.ts": `import { readTables } from "warren/command";

const tables = await readTables("counter");
console.log(JSON.stringify((await tables?.all("SELECT type, count FROM counts ORDER BY type")) ?? null));
await tables?.close();
`,
};

describeWithPostgres("on PostgreSQL", () => {
  let project: ReturnType<typeof temporaryFolder>;
  let schema: PostgresSchema;
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let api: Api;
  beforeAll(async () => {
    project = copyProject();
    for (const [name, text] of Object.entries(files)) await Bun.write(join(project.path, name), text);
    for (const words of [["generate.ts"], ["contracts.ts", "update"]])
      expect(await run([`src/commands/${words[0]}`, ...words.slice(1)], { cwd: project.path }).exited).toBe(0);
  });
  afterAll(() => project.remove());
  afterEach(async () => {
    await endAll();
    folder.remove();
    await schema.drop();
  });

  const ask = (name: CommandName, ...words: string[]) => command(name, words, env, project.path);
  const done = async (name: CommandName, ...words: string[]): Promise<string> => {
    const { code, stdout, stderr }: Ended = await ask(name, ...words);
    expect([name, words, code, stderr]).toEqual([name, words, 0, expect.anything()]);
    return stdout;
  };
  const counted = async () => {
    const child = run(["count.ts"], { env, cwd: project.path });
    expect(await child.exited).toBe(0);
    return JSON.parse(child.stdout.join("")) as unknown;
  };
  const create = async (...codes: string[]) => {
    for (const code of codes) expect((await send("POST", `${api.url}/parcels`, { code })).status).toBe(201);
  };
  const deadOf = async (queue: string) => (JSON.parse(await done("dead-letters", "list", queue, "--json")) as DeadLetterPage).deadLetters;
  const untilDead = (count: number) =>
    eventually(async () => {
      const dead = await deadOf("counter");
      return dead.length === count ? dead : undefined;
    }, `${count} dead letters`);
  const untilCounted = (count: number) =>
    eventually(
      async () => (JSON.stringify(await counted()) === JSON.stringify([{ type: "parcel.created", count }]) ? true : undefined),
      `${count} counted`,
    );
  async function startCounter(): Promise<Running> {
    const counter = run(["consumers/counter.ts"], { env, cwd: project.path });
    await counter.line("Counting");
    return counter;
  }

  function everyCommand(rabbitmqUrl: () => string | undefined): void {
    beforeEach(async () => {
      schema = schemaWithQueues(await sharedPostgres());
      folder = temporaryFolder();
      const url = rabbitmqUrl();
      env = { DATABASE_URL: schema.url, DATA_DIR: folder.path, PORT: "0", ...(url && { RABBITMQ_URL: url }) };
      api = await startApi({ env, cwd: project.path });
      if (url) await api.line("Connected to RabbitMQ");
    });

    test("before any consumer has run", async () => {
      for (const name of ["queues", "dead-letters"] as const) expect((await ask(name, "list")).code).toBe(0);
      expect((await ask("dead-letters", "list", "counter")).stderr).toContain('There is no queue "counter"');
      expect((await ask("queues", "remove", "counter", "--yes")).stderr).toContain('There is no queue "counter"');
      expect((await ask("replay", "--queue", "counter", "--dry-run")).stderr).toContain('There is no queue "counter"');
      expect((await ask("replay", "--cancel", "x")).stderr).toContain('There is no replay "x"');
      expect((await ask("events", "show", Bun.randomUUIDv7())).code).toBe(1);
      expect(await counted()).toBeNull();
      expect((await ask("status")).code).toBe(0);
    });

    test("dead letters are listed, shown, put back and removed; a replay is counted, made and cancelled", async () => {
      const counter = await startCounter();
      await create("1", "2", "bad1", "bad2");
      const [first, second] = await untilDead(2);
      await untilCounted(2);
      expect(await done("dead-letters", "list")).toMatch(/^ +2 +counter$/m);
      expect(await done("dead-letters", "show", "counter", String(first?.id))).toContain("bad code");
      expect(await done("events", "show", String(first?.id))).toContain("rejected: bad code");
      const status = await ask("status");
      expect([status.code, status.stdout]).toEqual([1, expect.stringContaining('"counter" has 2 dead letters.')]);
      expect(await done("dead-letters", "redrive", "counter", "--id", String(first?.id))).toContain("was redriven");
      await eventually(
        async () => ((await deadOf("counter")).map(({ id }) => id).join() === `${second?.id},${first?.id}` ? true : undefined),
        "a second refusal",
      );
      expect(await done("dead-letters", "discard", "counter", "--id", String(second?.id), "--yes")).toContain("was discarded");

      expect(await done("replay", "--queue", "counter", "--dry-run")).toContain("4 events: all events");
      await done("replay", "--queue", "counter");
      await untilDead(3);
      await untilCounted(2);
      await done("replay", "--queue", "counter", "--force", "--events", "parcel.created", "--id", "1");
      await untilCounted(3);
      const slow = (await (await send("POST", `${api.url}/replays`, { queue: "counter", rate: 0.001 })).json()) as { id: string };
      expect(await done("replay", "--cancel", slow.id)).toMatch(new RegExp(`^Cancelled replay ${slow.id}`));
      expect((await ask("replay", "--cancel", slow.id)).stderr).toContain("has already ended (cancelled)");
      await counter.stop();
    });

    test("a queue is listed, and removed with all that is kept for it", async () => {
      const counter = await startCounter();
      await create("1", "bad1");
      await untilDead(1);
      await untilCounted(1);
      expect((await ask("queues", "remove", "counter", "--yes")).stderr).toBe('1 consumer of "counter" is running: stop it first.');
      await counter.stop();
      await eventually(async () => (/^ +0 +0 +1 +0 .* counter$/m.test(await done("queues", "list")) ? true : undefined), "no consumer");
      const lost = "1 dead letter and tables of its own (counts)";
      expect((await ask("queues", "remove", "counter", "--yes")).stderr).toBe(
        `"counter" has ${lost}, which would be lost. To remove it anyway, use --force.`,
      );
      expect(await done("queues", "remove", "counter", "--yes", "--force")).toBe(`"counter" was removed, with ${lost}.`);
      expect(await done("queues", "list")).not.toContain("counter");
      expect(await schema.evaluate("SELECT queue FROM warren_consumers")).toEqual([]);
      expect(await schema.evaluate(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema.name}.counter'`)).toEqual([]);
      // A consumer that comes later begins anew.
      await startCounter();
      await untilDead(1);
      await untilCounted(1);
    });

    test("the doctor, contracts, export, import and erase", async () => {
      const counter = await startCounter();
      await create("1", "bad1");
      await untilDead(1);
      const found = await ask("doctor");
      expect(found.stdout).toMatch(/^ok +queue schemas +1 schema, \d+ KiB$/m);
      expect(found.stdout).not.toMatch(/^error/m);
      await done("contracts", "check");
      expect(await done("timers", "list")).toBe("");
      expect((await done("export", "parcel")).split("\n")).toHaveLength(2);
      const imported = await command("import", ["parcel"], env, project.path, '{"code":"3"}\n');
      expect([imported.code, imported.stdout]).toEqual([0, "Created 1 record of parcel."]);
      await untilCounted(2);
      // One that reads the log could be handling its events.
      if (env["RABBITMQ_URL"] === undefined)
        expect((await ask("erase", "parcel", "2", "--yes")).stderr).toBe('Consumers are running: stop "counter" first.');
      await counter.stop();
      expect(await done("erase", "parcel", "2")).toMatch(
        /^Would erase parcel 2: 1 record, 1 event in the log, 1 (failed event of consumers|dead letter on RabbitMQ)\./,
      );
      expect(await done("erase", "parcel", "2", "--yes")).toMatch(/^Erased parcel 2: .*counter \(tables of its own: counts\)$/s);
      expect(await deadOf("counter")).toEqual([]);
      expect((await ask("erase", "parcel", "2", "--yes")).code).toBe(1);
      expect((await send("GET", `${api.url}/parcels/2`)).status).toBe(404);
    });
  }

  describe("alone", () => everyCommand(() => undefined));

  describeWithRabbit("with RabbitMQ", () => {
    const rabbit = useRabbit();
    afterEach(async () => {
      await endAll();
      await emptyBroker(rabbit());
    });
    everyCommand(() => rabbit().url);
  });
});
