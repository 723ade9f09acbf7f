// Moving a store to PostgreSQL by a command that is killed at random, and to a server that crashes.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { sqliteIn } from "../support/engines";
import { temporaryFolder } from "../support/folder";
import { addMany, expectMoved, fillStore, resources } from "../support/moving";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { run } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { withStore } from "../support/use-store";

describeWithPostgres("a move", () => {
  const postgres = useOwnPostgres();
  let project: ReturnType<typeof copyProject>;
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    project = copyProject();
    folder = temporaryFolder();
  });
  /** Fills the file. Not before each test: that has less time. */
  async function fill(): Promise<void> {
    await Bun.write(join(project.path, "src/domain/stories.ts"), Bun.file(join(import.meta.dir, "../support/stories.ts")));
    await withStore(sqliteIn(folder.path), resources, fillStore);
    addMany(file(), 30_000);
  }
  afterEach(() => {
    project.remove();
    folder.remove();
  });
  const file = () => join(folder.path, "warren.db");
  const migrate = (url: string) =>
    run(["src/commands/migrate-to-postgres.ts", "--from", file(), "--json"], { cwd: project.path, env: { DATABASE_URL: url } });
  /** Returns the first line of JSON with a step and at least so many rows. */
  const reached = (moving: ReturnType<typeof run>, step: string) => moving.line(new RegExp(`"step":"${step}"`));

  test("that is killed again and again at any moment loses and doubles nothing", async () => {
    await fill();
    const schema = postgres().schema("killed");
    const killedAt: string[] = [];
    // The whole of it takes some seconds. Each attempt lives a little longer than the one before.
    for (let lifeMs = 50; ; lifeMs += 90) {
      const moving = migrate(schema.url);
      const timer = setTimeout(() => process.kill(moving.pid, "SIGKILL"), lifeMs);
      const code = await moving.exited;
      clearTimeout(timer);
      if (code === 0) break;
      expect([code, moving.stderr.join("\n")]).toEqual([137, ""]);
      killedAt.push((JSON.parse(moving.stdout.at(-1) ?? '{"step":"start"}') as { step: string }).step);
    }
    console.log(`killed ${killedAt.length} times: ${[...new Set(killedAt)].join(", ")}`);
    expect(killedAt).toContain("copying");
    await expectMoved(file(), schema);
  }, 300_000);

  test("to a server that crashes says so, and goes on when it is back", async () => {
    await fill();
    const schema = postgres().schema("crashed");
    for (const step of ["copying", "comparing"]) {
      const moving = migrate(schema.url);
      await reached(moving, step);
      await postgres().kill();
      expect(await moving.exited).toBe(1);
      expect(moving.stderr.join("\n")).toContain(`The database ${schema.address.shown} `);
      await postgres().start();
    }
    expect(await migrate(schema.url).exited).toBe(0);
    await expectMoved(file(), schema);
  }, 300_000);
});
