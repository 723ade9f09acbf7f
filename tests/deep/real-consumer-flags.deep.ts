// Every consumer explains itself and refuses what it does not know, before it reads its first event.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, run } from "../support/processes";
import { copyProject } from "../support/project-copy";

setDefaultTimeout(60_000);

const own = {
  "price-watch.ts": `import { runConsumer } from "warren/consumer";

await runConsumer({ queue: "price-watch", events: ["item.created"], description: "Watches prices.", handle: () => {} });
`,
  "price-limit.ts": `import { everyFlagHelp, readFlags, runConsumer } from "warren/consumer";

const help = \`Watches prices.

  --limit PRICE      from which on a price is told
\${everyFlagHelp}\`;
const flags = readFlags(help, { limit: { type: "string", default: "1000" } });
console.log("limit", Number(flags.limit));
await runConsumer({ queue: "price-limit", handle: () => {} }, flags);
`,
  "two.ts": `import { runConsumers } from "../src/consumer/run";

await runConsumers([{ queue: "first", handle: () => {} }, { queue: "second", handle: () => {} }]);
`,
};

let copy: ReturnType<typeof copyProject>;
let data: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  copy = copyProject();
  for (const [name, text] of Object.entries(own)) await Bun.write(join(copy.path, "consumers", name), text);
});
afterAll(() => copy.remove());
beforeEach(() => {
  data = temporaryFolder();
});
afterEach(async () => {
  await endAll();
  data.remove();
});

async function ended(file: string, ...words: string[]) {
  const consumer = run([`consumers/${file}`, ...words], { cwd: copy.path, env: environment(data.path) });
  const code = await consumer.exited;
  // It has not begun.
  expect(existsSync(join(data.path, "data"))).toBe(false);
  return { code, stdout: consumer.stdout.join("\n"), stderr: consumer.stderr.join("\n") };
}

const refused = (mistake: string) => ({ code: 2, stdout: "", stderr: `${mistake}\nRun with --help for usage.` });

describe.each(["logger.ts", "audit.ts", "webhook.ts", ...Object.keys(own)])("%s", (file) => {
  test("--help explains it, with the flags of every consumer", async () => {
    const { code, stdout, stderr } = await ended(file, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    for (const flag of ["--health-port N", "--metrics-port N", "--help "]) expect(stdout).toContain(flag);
  });

  test("unknown flags are refused", async () => {
    expect(await ended(file, "--hepl")).toEqual(refused("Unknown option '--hepl'."));
  });
});

// Each consumer reads its flags with the same function.
test.each(["logger.ts", "two.ts"])("%s has -h for --help, and refuses arguments", async (file) => {
  const [short, long, mistaken] = await Promise.all(["-h", "--help", "fast"].map((word) => ended(file, word)));
  expect(short).toEqual(long);
  expect(mistaken).toEqual(refused('Unexpected argument "fast".'));
});

test("one without flags of its own says what it does, and serves health", async () => {
  const { stdout } = await ended("price-watch.ts", "--help");
  expect(stdout).toStartWith("Watches prices.\nHandles item.created, from the queue price-watch.\n\n  bun run consumers/price-watch.ts\n");
  const consumer = run(["consumers/price-watch.ts", "--health-port", "0"], { cwd: copy.path, env: environment(data.path) });
  const url = /http:[^ "]+\/health\/ready/.exec(await consumer.line("Health is at", "stderr"))?.[0] ?? "";
  expect((await fetch(url.replace("ready", "live"))).status).toBe(200);
  expect(await consumer.stop()).toBe(0);
});

test("one with flags of its own gets them, beside those of every consumer", async () => {
  const consumer = run(["consumers/price-limit.ts", "--limit", "5", "--health-port", "0"], { cwd: copy.path, env: environment(data.path) });
  await consumer.line("Health is at", "stderr");
  await consumer.line("limit 5");
  expect(await consumer.stop()).toBe(0);
});

test("`bun run generate` looks at them, and its own flags are not theirs", async () => {
  const generate = run(["src/commands/generate.ts"], { cwd: copy.path });
  expect([await generate.exited, generate.stderr.filter((line) => !line.startsWith("Wrote"))]).toEqual([0, []]);
  const check = run(["src/commands/generate.ts", "--check"], { cwd: copy.path });
  expect([await check.exited, check.stderr]).toEqual([0, []]);
  const types = run(["node_modules/typescript/bin/tsc"], { cwd: copy.path });
  expect([await types.exited, types.stdout.join("\n")]).toEqual([0, ""]);
});

test.each(["src/commands/generate.ts", "src/commands/dev.ts"])(
  "%s, too, explains itself, and refuses what it does not know",
  async (file) => {
    const help = run([file, "--help"], { cwd: copy.path, env: environment(data.path) });
    expect([await help.exited, help.stderr, help.stdout.length > 1]).toEqual([0, [], true]);
    const mistaken = run([file, "--chekc"], { cwd: copy.path, env: environment(data.path) });
    expect([await mistaken.exited, mistaken.stdout, mistaken.stderr]).toEqual([
      2,
      [],
      ["Unknown option '--chekc'.", "Run with --help for usage."],
    ]);
  },
);
