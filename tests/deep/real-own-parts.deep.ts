// The first things of one's own: every example of the documentation, resources, a custom event, routes, consumers and a test, in a
// copy of the project. What the project asks of its own code holds there, too: not one file of it has to be edited.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { docBlocks, fileOf } from "../support/doc-pages";
import { failuresIn } from "../support/failed-tests";
import { run } from "../support/processes";
import { copyWholeProject } from "../support/project-copy";

// The fast tests take a minute on an idle machine.
const fastTestsTimeoutMs = 900_000;
setDefaultTimeout(fastTestsTimeoutMs);

let copy: ReturnType<typeof copyWholeProject>;
beforeAll(async () => {
  copy = copyWholeProject();
  for (const block of docBlocks("ts")) {
    const file = fileOf(block);
    // A client is not part of the project.
    if (file.includes("/")) await Bun.write(join(copy.path, file), block.text);
  }
});
afterAll(() => copy.remove());

async function succeeds(...words: string[]): Promise<string> {
  const command = run(words, { cwd: copy.path });
  const code = await command.exited;
  const output = [...command.stdout, ...command.stderr].join("\n");
  expect([words, code, code === 0 ? "" : failuresIn(output)]).toEqual([words, 0, ""]);
  return output;
}

test("the documentation shows one of each", async () => {
  const files = docBlocks("ts").map(fileOf);
  for (const one of [
    /^src\/domain\/order\.ts$/,
    /^routes\/orders\.ts$/,
    /^routes\/.*\[id\].*\.ts$/,
    /^consumers\//,
    /^tests\/.*\.test\.ts$/,
  ])
    expect(files.some((file) => one.test(file))).toBe(true);
  expect(await Bun.file(join(copy.path, "src/domain/parcel.ts")).text()).toContain("events: {");
});

test("`bun run check` passes, after the two commands that it asks for", async () => {
  await succeeds("run", "generate");
  await succeeds("run", "contracts:update");
  await succeeds("run", "check");
});

test("the fast tests pass", async () => {
  const fast = [...new Bun.Glob("tests/*.test.ts").scanSync(copy.path)].filter((file) => !file.startsWith("tests/real-")).sort();
  // The machine may be busy with the tests around this one.
  expect(await succeeds("test", "--parallel=2", "--no-isolate", "--timeout=120000", ...fast)).toMatch(/^ *0 fail$/m);
});
