// `bun run build`: one file that is the whole API, on a machine with nothing else.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { endAll, eventually, root, run, send, startApi, threadsOf } from "../support/processes";

// A build takes its time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

let folder: ReturnType<typeof temporaryFolder>;
let program: string;
let cwd: string;
beforeAll(async () => {
  folder = temporaryFolder();
  program = join(folder.path, "warren");
  const build = run(["src/commands/build.ts", "--outfile", program]);
  expect([await build.exited, build.stderr.filter((line) => line.includes("error"))]).toEqual([0, []]);
});
beforeEach(() => {
  cwd = mkdtempSync(join(folder.path, "empty-"));
});
afterEach(endAll);
afterAll(() => folder.remove());

describe("the executable", () => {
  test("serves items and the pages of its API and its events in an empty folder, and stops with 0", async () => {
    const env = { PORT: "0", RABBITMQ_URL: "none" };
    const api = await startApi({ program, cwd, env });
    expect(readdirSync(cwd)).toEqual(["data"]);
    const created = await send("POST", `${api.url}/items`, { name: "Sample Item", price: 9.99 });
    expect([created.status, await created.json()]).toMatchObject([201, { id: 1, name: "Sample Item" }]);

    const packages = join(root, "node_modules");
    const sources: Record<string, string> = {
      "/swagger/favicon.png": "swagger-ui-dist/favicon-32x32.png",
      "/swagger/swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
      "/swagger/swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    };
    const links = new Set<string>();
    for (const path of ["/swagger", "/console/"]) {
      const page = await (await fetch(`${api.url}${path}`)).text();
      for (const [, link] of page.matchAll(/(?:src|href)="([^"]+)"/g)) links.add(new URL(link as string, `${api.url}${path}`).pathname);
    }
    expect([...links].filter((link) => link.startsWith("/console/")).length).toBe(3);
    expect([...links]).toEqual(expect.arrayContaining([...Object.keys(sources), "/swagger/start.js"]));
    for (const link of links) {
      const answer = await fetch(`${api.url}${link}`);
      expect([link, answer.status]).toEqual([link, 200]);
      const source = sources[link];
      if (source) expect([link, Bun.hash(await answer.bytes())]).toEqual([link, Bun.hash(await Bun.file(join(packages, source)).bytes())]);
    }
    const { operations } = (await (await fetch(`${api.url}/asyncapi.json`)).json()) as { operations: object };
    expect(Object.keys(operations)).toContain("consume.audit");
    const { paths } = (await (await fetch(`${api.url}/swagger/json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toContain("/items/{id}");

    expect(await api.stop("SIGTERM")).toBe(0);
    expect(api.stderr).toEqual([]);
    const again = await startApi({ program, cwd, env });
    expect(await (await send("GET", `${again.url}/items/1`)).json()).toMatchObject({ id: 1, name: "Sample Item", version: 1 });
    expect(await again.stop("SIGINT")).toBe(0);
  });

  test.skipIf(!Bun.which("strace") && !process.env["NO_SKIP"])("has the thread that makes slow commits", async () => {
    // -D: the process that is started is the API itself. A flush takes 5 ms, as on a slow disk.
    const slow = join(folder.path, "slow.sh");
    const traced = `strace -D -f -qq -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_enter=5000 ${program}`;
    await Bun.write(slow, `#!/bin/sh\nexec ${traced}\n`);
    chmodSync(slow, 0o755);
    const api = await startApi({ program: slow, cwd, env: { PORT: "0", RABBITMQ_URL: "none" } });
    const create = async () => (await send("POST", `${api.url}/items`, { name: "Sample Item" })).status;
    const statuses: number[] = [];
    await eventually(async () => {
      statuses.push(await create());
      return !existsSync("/proc/self/task") || threadsOf(api.pid).includes("Worker") || undefined;
    }, "the thread");
    statuses.push(await create());
    expect(new Set(statuses)).toEqual(new Set([201]));
    expect(await api.stop("SIGTERM")).toBe(0);
    // A thread that cannot be started is reported here. strace reports its own trouble here too.
    expect(api.stderr.filter((line) => !line.startsWith("strace: "))).toEqual([]);
  });

  test("says what is wrong with its environment, as the source does", async () => {
    const api = run([], { program, cwd, env: { PORT: "http" } });
    expect(await api.exited).toBe(1);
    expect(api.stderr.join("\n")).toContain("PORT=http: use a whole number");
  });
});
