// bun run migrate-to-postgres, as a process, with resources of a project's own.
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { consumerStores } from "../../src/store/open";
import { lockKey } from "../../src/store/postgres/schema/migrations";
import { command } from "../support/command";
import { sqliteIn } from "../support/engines";
import { temporaryFolder } from "../support/folder";
import { fillStore, resources } from "../support/moving";
import { describeWithPostgres, usePostgres } from "../support/postgres";
import { eventually, run } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { withStore } from "../support/use-store";

describeWithPostgres("bun run migrate-to-postgres", () => {
  const postgres = usePostgres();
  let project: ReturnType<typeof copyProject>;
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(async () => {
    project = copyProject();
    folder = temporaryFolder();
    await Bun.write(join(project.path, "src/domain/stories.ts"), Bun.file(join(import.meta.dir, "../support/stories.ts")));
    await withStore(sqliteIn(folder.path), resources, (store) => fillStore(store, 12));
  });
  afterEach(async () => {
    project.remove();
    folder.remove();
    await postgres().evaluate(`DROP SCHEMA IF EXISTS "${postgres().name}.shelf" CASCADE`);
    await postgres().drop();
  });
  const file = () => join(folder.path, "warren.db");
  const environment = () => ({ DATABASE_URL: postgres().url });
  const migrate = (words: readonly string[], env: Record<string, string> = environment()) =>
    command("migrate-to-postgres", ["--from", file(), ...words], env, project.path);

  test("says what it would move, moves it once, and keeps the file from being used", async () => {
    const dry = await migrate(["--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stderr: "Reading" });
    const plan = [
      expect.stringMatching(new RegExp(`^From ${file()}, \\d+ MB$`)),
      expect.stringMatching(/^To {3}postgres:\/\/127\.0\.0\.1:\d+\/postgres\?schema=test_\d+, PostgreSQL \d+/),
      "TABLE               ROWS",
      "authors                9",
      "stories               11",
      expect.stringMatching(/^events {10,}\d+ {2}after position 7, up to \d+$/),
      "idempotency keys       4",
      "timers                 1",
      "times of the relay     2",
    ];
    expect(dry.stdout.split("\n")).toEqual([...plan, "All can be moved. Nothing was changed."]);
    expect(await postgres().evaluate(`SELECT 1 FROM pg_namespace WHERE nspname = '${postgres().name}'`)).toEqual([]);

    const moved = await migrate([]);
    expect(moved).toMatchObject({ code: 0, stderr: "Copying\nComparing" });
    const done = /^Moved to postgres:\S+ in (less than a second|\d+ s)\. Start the API with this DATABASE_URL\.$/;
    expect(moved.stdout.split("\n")).toEqual([...plan, expect.stringMatching(done)]);
    expect(await migrate([])).toMatchObject({
      code: 0,
      stdout: `${file()} has been moved to ${postgres().address.shown} already.`,
    });
    const used = await command("import", ["author"], { DATABASE_URL: `sqlite:${file()}` }, project.path, "");
    expect(used).toMatchObject({ code: 1, stderr: expect.stringContaining(`The data of ${file()} was moved to postgres://127.0.0.1`) });
  }, 20_000);

  test("prints each step as JSON", async () => {
    const { code, stdout } = await migrate(["--json"]);
    expect(code).toBe(0);
    const lines = stdout.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ step: "plan", from: file(), to: postgres().address.shown, standing: "empty", pruned: 7 });
    expect([...new Set(lines.map(({ step }) => step))]).toEqual(["plan", "copying", "comparing", "moved"]);
  });

  test("refuses what it cannot move, and says what to do", async () => {
    expect(await migrate([], { DATABASE_URL: "sqlite:data/warren.db" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Set DATABASE_URL to the PostgreSQL database to move to: postgres://"),
    });
    expect(await migrate(["--leave", "authors"])).toMatchObject({ code: 2 });
    await Bun.file(join(project.path, "src/domain/stories.ts")).delete();
    const { code, stderr } = await migrate([]);
    expect(code).toBe(1);
    expect(stderr).toStartWith('No resource of this project has the table "authors" with 9 records.');
    expect(stderr).toEndWith("or leave them out: --leave authors --leave stories");
    expect(await migrate(["--leave", "authors", "--leave", "stories", "--dry-run"])).toMatchObject({ code: 0 });
  }, 20_000);

  test("moves what consumers keep, with the tables that the setup of a consumer of the project creates", async () => {
    const stores = consumerStores(sqliteIn(join(folder.path, "running")));
    const store = await stores.open("shelf", { durable: true });
    await store.inbox.add(["a", "b"], Date.now());
    await store.transaction.run("CREATE TABLE seen (id TEXT PRIMARY KEY, n INTEGER) STRICT");
    await store.transaction.run("INSERT INTO seen VALUES ('a', 1), ('b', 2)");
    await store.close();
    // As when the process of the consumer has ended: in this one, its file stays open until its memory is freed.
    const db = new Database(join(folder.path, "running/consumers/shelf.db"));
    mkdirSync(join(folder.path, "consumers"));
    db.run("VACUUM INTO ?", [join(folder.path, "consumers/shelf.db")]);
    db.close();

    const refused = await migrate([]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The handlers of "shelf" have tables of their own ("seen")'),
    });
    await Bun.write(
      join(project.path, "consumers/shelf.ts"),
      `import { type ConsumerOptions, runConsumer } from "warren/consumer";
       export const shelf = {
         queue: "shelf", events: ["author.created"], exactlyOnce: true, handle() {},
         setup: (tx) => tx.run("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, n BIGINT)"),
       } satisfies ConsumerOptions<"author.created">;
       if (import.meta.main) await runConsumer(shelf);`,
    );
    const moved = await migrate([]);
    expect(moved.stdout).toContain("QUEUE  WAITING  DEAD  INBOX  TABLES\nshelf        0     0      2  seen (2)\n");
    expect(moved.code).toBe(0);
    expect(await postgres().evaluate(`SELECT id, n::int FROM "${postgres().name}.shelf".seen ORDER BY id`)).toEqual([
      { id: "a", n: 1 },
      { id: "b", n: 2 },
    ]);

    // A consumer of another machine.
    await Bun.file(join(folder.path, "consumers/shelf.db.moved")).delete();
    const again = await migrate(["--only-consumers"]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('The consumer of "shelf" has been started with postgres://') });
    await postgres().evaluate(`DROP SCHEMA "${postgres().name}.shelf" CASCADE; DELETE FROM warren_consumers`);
    expect(await migrate(["--only-consumers", "--leave-tables", "shelf"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Moved to"),
    });
    expect(await postgres().evaluate(`SELECT count(*)::int AS ids FROM "${postgres().name}.shelf".warren_inbox`)).toEqual([{ ids: 2 }]);
    expect(await migrate(["--only-consumers"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There are no files of consumers in"),
    });
  }, 30_000);

  test("stops with Ctrl+C, and goes on when it is run again", async () => {
    const key = lockKey(postgres().name, "migrate");
    // The command waits for this lock.
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const sql = new Bun.SQL({ url: postgres().url.replace(/\?.*/, ""), max: 1 });
    const held = Promise.withResolvers<void>();
    const locked = sql.begin(async (tx) => {
      await tx.unsafe(`SELECT pg_advisory_xact_lock(${key})`);
      held.resolve();
      await released;
    });
    await held.promise;
    const stopped = run(["src/commands/migrate-to-postgres.ts", "--from", file()], { cwd: project.path, env: environment() });
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'warren transaction'";
    await eventually(async () => ((await postgres().evaluate(waiting)).length > 0 ? true : undefined), "the command to wait");
    process.kill(stopped.pid, "SIGINT");
    release();
    await locked;
    expect(await stopped.exited).toBe(130);
    expect(stopped.stderr.at(-1)).toBe("Stopped. Run the command again to go on.");
    await sql.close();
    const moved = await migrate([]);
    expect(moved).toMatchObject({ code: 0, stdout: expect.stringContaining("An earlier move was interrupted. This one goes on.") });
  }, 20_000);
});
