// The clusters that tests use: each survives what a test does to it, and nothing of them outlives a run.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { describeWithPostgres, useOwnPostgres } from "../support/postgres";
import { eventually, root, run } from "../support/processes";

describeWithPostgres("a cluster of a test's own", () => {
  const postgres = useOwnPostgres();
  const count = async () => (await postgres().evaluate<{ count: number }>("SELECT count(*)::int AS count FROM kept"))[0]?.count;

  test("keeps committed rows after kill -9, a crash and a stop", async () => {
    await postgres().evaluate("CREATE TABLE kept (id int)");
    for (const end of [postgres().kill, () => postgres().stop("immediate"), postgres().stop]) {
      await postgres().evaluate("INSERT INTO kept VALUES (1)");
      await end();
      expect(postgres().isUp()).toBe(false);
      await postgres().start();
    }
    expect(await count()).toBe(3);
  });

  test("answers nothing while it is frozen", async () => {
    postgres().freeze();
    const answer = count();
    expect(await Promise.race([answer, Bun.sleep(100).then(() => "none")])).toBe("none");
    postgres().thaw();
    expect(await answer).toBe(3);
  });

  test("can be read-only for a while", async () => {
    await postgres().configure({ default_transaction_read_only: "on" });
    const isReadOnly = async () =>
      postgres()
        .evaluate("INSERT INTO kept VALUES (1)")
        .then(
          () => undefined,
          (error: Error) => error.message,
        );
    expect(await eventually(isReadOnly, "the setting")).toContain("read-only");
    await postgres().configure({ default_transaction_read_only: null });
    await eventually(async () => ((await isReadOnly()) === undefined ? true : undefined), "the setting to be gone");
  });

  test.each(["SIGKILL", null] as const)("is gone with a run that ends by %p, even if it is frozen", async (signal) => {
    const folder = temporaryFolder();
    const file = join(folder.path, "runner.ts");
    await Bun.write(
      file,
      `import { startPostgres } from ${JSON.stringify(join(root, "tests/support/postgres"))};
      const { socket, evaluate, freeze } = await startPostgres();
      const [{ pid }] = await evaluate("SELECT pg_backend_pid() AS pid");
      console.log(JSON.stringify({ socket, pid }));
      if (${signal !== null}) { freeze(); await Bun.sleep(60_000); }
      process.exit();`,
    );
    const runner = run([file]);
    const { socket } = JSON.parse(await runner.line(/^{/)) as { socket: string };
    if (signal) await runner.stop(signal);
    await runner.exited;
    await eventually(() => !existsSync(socket) || undefined, "the folder to go");
    // The shell that removes the folder ends a moment after it.
    const running = () => Bun.spawnSync(["pgrep", "-f", `postgres -D ${socket}`]).stdout.toString();
    await eventually(() => running() === "" || undefined, "the server to go");
    folder.remove();
  });
});
