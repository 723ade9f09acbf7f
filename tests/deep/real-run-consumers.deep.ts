// Several consumers in one process: what one of them does is its own concern, a stop is everybody's.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { acquireLock } from "../../src/store/sqlite/connection/lock";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, run, send, startApi } from "../support/processes";
import { projectWith } from "../support/project";

setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let env: Record<string, string>;
let projects: { remove(): void }[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  env = environment(folder.path);
});
afterEach(async () => {
  await endAll();
  for (const project of projects) project.remove();
  projects = [];
  folder.remove();
});

/** Runs a file that calls `runConsumers`; its handlers may wait for `told`, which a stop fulfils. */
async function start(...consumers: string[]) {
  const project = await projectWith({
    "consumers/several.ts": `
      import { runConsumers } from "../src/consumer/run";
      const told = Promise.withResolvers();
      await runConsumers([${consumers.join(", ")}], { onStop: () => told.resolve() });`,
  });
  projects.push(project);
  return run(["consumers/several.ts"], { cwd: project.path, env });
}

const consumer = (queue: string, handle = `(event) => console.log("${queue} got", event.item.id)`, more = "") =>
  `{ queue: "${queue}", handle: ${handle}, onReady: () => console.log("${queue} is ready"), ${more} }`;

test("each has its own queue, filter and retries; one that fails holds up no other", async () => {
  const api = await startApi({ env });
  const fails = '() => { console.log("fails was called"); throw new Error("no"); }';
  const retry = "retry: { attempts: 3, firstDelayMs: 50, factor: 1, longestDelayMs: 50 }";
  const several = await start(consumer("all"), consumer("deleted", undefined, 'events: ["item.deleted"]'), consumer("fails", fails, retry));
  await several.lines(/is ready$/, 3);
  await send("POST", `${api.url}/items`, { name: "one" });
  await several.lines(/^all got 1$/, 1);
  await several.lines(/^fails was called$/, 3);
  await send("DELETE", `${api.url}/items/1`);
  await several.lines(/^deleted got 1$/, 1);
  await several.lines(/^all got 1$/, 2);
  await several.lines(/^fails was called$/, 6);
  expect(await several.stop("SIGINT")).toBe(0);
  const count = (pattern: RegExp) => several.stdout.filter((line) => pattern.test(line)).length;
  expect([count(/^all got/), count(/^deleted got/), count(/^fails was/)]).toEqual([2, 1, 6]);
});

test("a HOST that strangers reach asks for no token: consumers do not listen there", async () => {
  await startApi({ env });
  env = { ...env, HOST: "0.0.0.0" };
  const several = await start(consumer("first"), consumer("second"));
  await several.lines(/is ready$/, 2);
  expect(await several.stop("SIGTERM")).toBe(0);
});

const untilTold = (queue: string) =>
  consumer(queue, `async () => { console.log("${queue} begins"); await told.promise; await Bun.sleep(50); console.log("${queue} ends"); }`);

test("a stop tells of itself first, then waits for the events in hand of each", async () => {
  const api = await startApi({ env });
  const several = await start(untilTold("a"), untilTold("b"));
  await several.lines(/is ready$/, 2);
  await send("POST", `${api.url}/items`, { name: "one" });
  await several.lines(/ begins$/, 2);
  expect(await several.stop()).toBe(0);
  expect(several.stdout.filter((line) => line.endsWith(" ends")).sort()).toEqual(["a ends", "b ends"]);
});

test("every mistake is printed, and the process exits with 1", async () => {
  const crated = consumer("c", undefined, 'events: ["item.crated"]');
  const several = await start(consumer("a", undefined, "concurrency: 0"), consumer("b"), crated);
  expect(await several.exited).toBe(1);
  const text = several.stderr.join("\n");
  expect(text).toContain("concurrency is 0; use a whole number from 1 to 1000.");
  expect(text).toContain('Unknown event type "item.crated"');
});

test("when one cannot go on, the others finish the events in hand, and the process exits with 1", async () => {
  const api = await startApi({ env });
  await send("POST", `${api.url}/items`, { name: "one" });
  const file = join(folder.path, "data", "consumers", "broken.db");
  await Bun.write(file, "this is no database. ".repeat(1000));
  const lock = acquireLock(`${file}.lock`);
  const several = await start(untilTold("good"), consumer("broken"));
  await several.line("good begins");
  // Until now the broken one stood by.
  lock?.release();
  expect(await several.exited).toBe(1);
  expect(several.stdout).toContain("good ends");
  expect(several.stderr.join("\n")).toContain("file is not a database");
});
