import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../tests/support/net";
import { environment, run } from "../../tests/support/processes";
import { type Benchmark, type Context, mustEqual, type Sample, VoidRun } from "../benchmark";
import { openLogFile } from "../log-file";
import { sampleItem } from "../sample-events";
import { databaseIn } from "../seeded";
import { median } from "../statistics";

/** A single start is short, and its duration varies by half. */
const starts = 10;
const timeoutMs = 20_000;
const create = { method: "POST", body: JSON.stringify(sampleItem), headers: { "content-type": "application/json" } };

export const start: Benchmark = {
  name: "start",
  title: "A prepared start, as in the image, in an empty folder until the first 201 vs. a bare Elysia hello until its first 200",
  needs: [],
  columns: [
    { key: "ms", label: "ms", digits: 0, aim: { atMost: 1.6 } },
    { key: "fastestMs", label: "fastest ms", digits: 0 },
  ],
  warren: {
    name: "warren",
    run: async ({ folder }: Context) => {
      await prepare();
      return several(async (n) => {
        const own = join(folder, String(n));
        const { ms, stop } = await started(
          ["src/start.ts"],
          { ...environment(own), NODE_ENV: "production" },
          { path: "/items", init: create, status: 201 },
        );
        await stop();
        if (!existsSync(databaseIn(own))) throw new VoidRun("there is no database");
        const log = openLogFile(databaseIn(own));
        mustEqual({ items: log.items(), "events in the log": log.events(), answers: 1 });
        log.close();
        return ms;
      });
    },
  },
  baseline: {
    name: "hello",
    run: () =>
      several(async () => {
        const { ms, stop } = await started(["bench/baselines/hello.ts"], { NODE_ENV: "production" }, { path: "/", status: 200 });
        await stop();
        return ms;
      }),
  },
};

/** Once is enough: it is used until a source changes. */
let preparing: Promise<number> | undefined;

async function prepare(): Promise<void> {
  preparing ??= run(["run", "build", "--start"]).exited;
  if ((await preparing) !== 0) throw new VoidRun("bun run build --start failed");
}

async function several(once: (n: number) => Promise<number>): Promise<Sample> {
  const all: number[] = [];
  for (let n = 0; n < starts; n += 1) all.push(await once(n));
  return { ms: median(all), fastestMs: Math.min(...all) };
}

/** Starts a program, and repeats a request until it gets a response. */
async function started(
  args: readonly string[],
  env: Record<string, string>,
  expected: { path: string; init?: RequestInit; status: number },
): Promise<{ ms: number; stop: () => Promise<number> }> {
  const port = freePort();
  const begun = performance.now();
  const program = run(args, { env: { ...env, PORT: String(port) } });
  while (performance.now() - begun < timeoutMs) {
    const answer = await fetch(`http://127.0.0.1:${port}${expected.path}`, expected.init).catch(() => undefined);
    if (answer) {
      await answer.text();
      const ms = performance.now() - begun;
      if (answer.status !== expected.status) throw new VoidRun(`the first response was ${answer.status}`);
      return { ms, stop: () => program.stop() };
    }
    await Bun.sleep(1);
  }
  throw new VoidRun(`no response within ${timeoutMs} ms: ${program.stderr.join("\n")}`);
}
