// Consumers that `bun run generate` finds, on a copy of the project: it starts none, and none stops it.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../support/processes";
import { copyProject } from "../support/project-copy";

setDefaultTimeout(60_000);

let copy: ReturnType<typeof copyProject>;
beforeEach(() => {
  copy = copyProject();
});
afterEach(() => copy.remove());

const write = (name: string, text: string) => Bun.write(join(copy.path, "consumers", name), text);
async function generate(...words: string[]): Promise<{ code: number; stderr: string; found: { name: string }[] }> {
  const running = run(["src/commands/generate.ts", ...words], {
    cwd: copy.path,
    env: { DATABASE_URL: `sqlite:${copy.path}/none/warren.db` },
  });
  const code = await running.exited;
  const text = await Bun.file(join(copy.path, "src/consumers.generated.ts")).text();
  const list = text.slice(text.indexOf("= [") + 2, text.lastIndexOf("]") + 1);
  return { code, stderr: running.stderr.join("\n"), found: JSON.parse(list.replace(/,\n\]/, "]")) as { name: string }[] };
}

test("consumers that a file exports, or runs as soon as it is loaded", async () => {
  mkdirSync(join(copy.path, "consumers/parts"));
  await write("parts/tax.ts", "throw new Error('no consumer: a part of one');\n");
  await write(
    "price-watch.ts",
    `import { runConsumer } from "warren/consumer";
await runConsumer({ queue: "price-watch", events: ["item.created"], description: "Watches prices.", handle: () => {} });
throw new Error("it ran");
`,
  );
  await write(
    "two.ts",
    `export const first = { events: ["item.*"], handle() {} };\nexport const second = { queue: "second", exactlyOnce: true, handle() {} };\n`,
  );
  const { code, stderr, found } = await generate();
  expect([code, stderr]).toEqual([0, "Wrote src/executable.generated.ts\nWrote src/consumers.generated.ts"]);
  const names = ["audit", "logger", "price-watch", "two.first", "two.second", "webhook"];
  expect(found.filter(({ name }) => names.includes(name))).toMatchObject([
    { name: "audit", queue: "audit", exactlyOnce: true },
    { name: "logger", queue: "item_events" },
    { name: "price-watch", queue: "price-watch", events: ["item.created"], description: "Watches prices." },
    { name: "two.first", events: ["item.*"] },
    { name: "two.second", queue: "second", exactlyOnce: true },
    { name: "webhook", queue: "webhook.{name}" },
  ]);
  expect(await Bun.file(`${copy.path}/none/warren.db`).exists()).toBe(false);
});

test("a file that cannot be loaded keeps the API from nothing; the check says so", async () => {
  await write("broken.ts", "throw new Error('half done');\n");
  const before = (await generate()).found;
  expect(await generate()).toEqual({
    code: 0,
    stderr: "Cannot load consumers/broken.ts, so it is missing from the documentation: half done",
    found: before,
  });
  expect((await generate("--check")).code).toBe(1);
  await write("broken.ts", "process.exit(0);\n");
  expect((await generate()).stderr).toContain(
    "consumers/broken.ts ended the process while it was being loaded. Move its top-level code into `if (import.meta.main) { … }`.",
  );
});
