// Nothing outlives a test run, not even one that was killed.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./support/folder";
import { eventually, root, run } from "./support/processes";

const source = `import { temporaryFolder } from ${JSON.stringify(join(root, "tests/support/folder"))};
import { run } from ${JSON.stringify(join(root, "tests/support/processes"))};
const { path } = temporaryFolder();
const { pid } = run(["1000"], { program: "sleep" });
console.log(JSON.stringify({ path, pid }));
if (process.argv[2] === "wait") await Bun.sleep(60_000);
process.exit();
`;

test.each(["SIGKILL", "SIGINT", null] as const)("programs and folders of a run that ends by %p are gone", async (signal) => {
  const folder = temporaryFolder();
  const file = join(folder.path, "runner.ts");
  await Bun.write(file, source);
  const runner = run([file, signal ? "wait" : ""]);
  const { path, pid } = JSON.parse(await runner.line(/^{/)) as { path: string; pid: number };
  if (signal) await runner.stop(signal);
  await runner.exited;
  await eventually(() => !existsSync(path) || undefined, "the folder to go");
  expect(isAlive(pid)).toBe(false);
  folder.remove();
});

/** Returns false for a process that was killed, also while nobody has collected its exit code. */
function isAlive(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
  return !/^(Z|$)/.test(stdout.toString().trim());
}
