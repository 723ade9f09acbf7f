// testService() of warren/testing with the consumers in a project's files: one exports its options, one runs when it is loaded.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./support/processes";
import { copyProject } from "./support/project-copy";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const files = {
  "consumers/bare.ts": `import { runConsumer } from "warren/consumer";

await runConsumer({ queue: "bare", events: ["item.created"], handle: ({ item }) => console.log(\`bare \${item.name}\`) });
`,
  "consumers/exported.ts": `import { type ConsumerOptions, runConsumer } from "warren/consumer";

export const exported = {
  queue: "exported",
  events: ["item.created"],
  handle: ({ item }) => console.log(\`exported \${item.name}\`),
} satisfies ConsumerOptions<"item.created">;

if (import.meta.main) await runConsumer(exported);
`,
  "consumers/printer.ts": `import { runConsumer } from "warren/consumer";

/** Described only: it has no handler to run. */
export const printer = { queue: "item_events" };

if (import.meta.main) await runConsumer({ ...printer, handle: () => console.log("printed") });
`,
  "tests/items.test.ts": `import { test } from "bun:test";
import { testService } from "warren/testing";

for (const name of ["first", "second"]) {
  test(name, async () => {
    await using service = await testService();
    await service.post("/items", { name });
    await service.settled();
    console.log(\`settled \${name}\`);
  });
}
`,
};

let copy: ReturnType<typeof copyProject>;
beforeAll(async () => {
  copy = copyProject();
  for (const file of readdirSync(join(copy.path, "consumers"))) rmSync(join(copy.path, "consumers", file));
  // Its preload is for the tests of Warren itself.
  rmSync(join(copy.path, "bunfig.toml"));
  for (const [file, text] of Object.entries(files)) await Bun.write(join(copy.path, file), text);
});
afterAll(() => copy.remove());

test("each test runs the consumers that have a handler, however their files run them", async () => {
  const tests = run(["test", "--timeout=60000", "./tests/items.test.ts"], { cwd: copy.path });
  expect([await tests.exited, tests.stderr.filter((line) => line.includes("error"))]).toEqual([0, []]);
  const lines = tests.stdout.filter((line) => /^(bare|exported|printed|settled)/.test(line));
  expect([lines.slice(0, 3).sort(), lines.slice(3).sort()]).toEqual([
    ["bare first", "exported first", "settled first"],
    ["bare second", "exported second", "settled second"],
  ]);
});
