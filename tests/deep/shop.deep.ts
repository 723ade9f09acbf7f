// examples/shop, installed as its README says, and the guide that builds it, command by command.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, blocksIn, fileOf, shopPages } from "../support/doc-pages";
import { temporaryFolder } from "../support/folder";
import { installing, succeedIn } from "../support/installed-project";
import { freePort } from "../support/net";
import { endAll, type Running, root, run, send, startApi } from "../support/processes";
import { copyWholeProject } from "../support/project-copy";

// Packing, installing and building take their time; what hangs still ends.
setDefaultTimeout(300_000);

const order = (quantity: number) => ({ customer: 1, lines: [{ product: 1, quantity }] });

let clone: ReturnType<typeof copyWholeProject>;
let shop: string;
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  clone = copyWholeProject();
  shop = join(clone.path, "examples/shop");
  folder = temporaryFolder();
});
afterEach(endAll);
afterAll(() => {
  clone.remove();
  folder.remove();
});

/** Starts `bun run dev` in a project. Resolves with the URL of its API. */
async function startDev(project: string, port: number, settings: Record<string, string> = {}): Promise<{ url: string; dev: Running }> {
  const dev = run(["run", "dev"], { cwd: project, env: { ...installing, ...settings, PORT: String(port) } });
  await dev.line("Warren listens on");
  return { url: `http://127.0.0.1:${port}`, dev };
}

test("is set up in a clone, and its check and tests pass", async () => {
  await succeedIn(shop, "run", "setup");
  await succeedIn(shop, "run", "check");
  expect(await succeedIn(shop, "test")).toMatch(/^ *0 fail$/m);
});

test("sells the last lamp once, over HTTP, and tells its consumer of the payment", async () => {
  const { url } = await startDev(shop, freePort());
  const status = async (path: string, body?: object) => (await send("POST", `${url}${path}`, body)).status;
  await send("POST", `${url}/products`, { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 1 });
  await send("POST", `${url}/customers`, { email: "ada@example.com", name: "Ada" });
  for (let count = 0; count < 8; count += 1) expect(await status("/orders", order(1))).toBe(201);
  const ids = Array.from({ length: 8 }, (_, index) => index + 1);
  expect(await (await fetch(`${url}/asyncapi`)).text()).toContain("<title>Shop events</title>");
  const reserved = await Promise.all(ids.map((id) => status(`/orders/${id}/reserve`)));
  expect(reserved.toSorted()).toEqual([200, ...Array(7).fill(409)]);
  const winner = ids[reserved.indexOf(200)];
  const paid = await Promise.all(["p1", "p2"].map((payment) => status(`/orders/${winner}/pay`, { payment })));
  expect(paid.toSorted()).toEqual([200, 409]);
  const consumer = run(["consumers/paid-orders.ts"], { cwd: shop, env: installing });
  await consumer.line(`Order ${winner} is paid: p`);
  expect(await consumer.stop()).toBe(0);
});

test("one executable has it all", async () => {
  await succeedIn(shop, "run", "build");
  const api = await startApi({ program: join(shop, "dist/warren"), cwd: folder.path, env: { PORT: "0", RABBITMQ_URL: "none" } });
  expect((await send("POST", `${api.url}/orders/1/reserve`)).status).toBe(404);
  const { info } = (await (await send("GET", `${api.url}/swagger/json`)).json()) as { info: object };
  expect(info).toEqual({ title: "Shop API", version: "0.1.0", description: expect.stringContaining("order.paid") });
  expect(await api.stop()).toBe(0);
});

const withCurl = Bun.which("curl") || process.env["NO_SKIP"] ? test : test.skip;

withCurl("the guide builds it: every command does what it says", async () => {
  const project = join(folder.path, "shop");
  const port = freePort();
  /** Environment of `bun run dev`. Undefined until it is started. */
  let settings: Record<string, string> | undefined;
  let api: Running | undefined;
  let consumer: Running | undefined;

  const stopApi = async () => {
    await api?.stop();
    api = undefined;
  };
  const bash = (script: string) => run(["-c", script], { program: "bash", cwd: existsSync(project) ? project : root, env: installing });
  const output = async (script: string) => {
    const shell = bash(script);
    expect([script, await shell.exited, [...shell.stdout, ...shell.stderr].join("\n")]).toEqual([script, 0, expect.any(String)]);
    return shell.stdout.join("\n");
  };
  const curl = async (command: string) => {
    const [, request = "", expected = "2.."] = /^curl (.*?)(?: +# (\d{3}))?$/.exec(command) ?? [];
    const shown = await output(`curl -sS -w '\\n%{http_code}' ${request.replace("localhost:3000", `127.0.0.1:${port}`)}`);
    expect([command, shown]).toEqual([command, expect.stringMatching(new RegExp(`\n${expected}$`))]);
  };
  const perform = async (command: string) => {
    if (command.startsWith("cd ")) return;
    if (command.endsWith("bun run dev")) {
      await stopApi();
      settings = Object.fromEntries(command.split(" ").flatMap((word) => [...word.matchAll(/^(\w+)=(.*)$/g)].map(([, ...pair]) => pair)));
    }
    // The API restarts when a file changes; here, before the next command.
    if (settings) api ??= (await startDev(project, port, settings)).dev;
    if (command.endsWith("bun run dev")) return;
    if (command.startsWith("curl ")) await curl(command);
    else if (command.startsWith("bun run consumers/")) consumer = bash(command);
    else await output(command.replace("../shop", project));
  };
  const follow = async (block: Block) => {
    if (block.language === "sh") for (const command of block.text.trimEnd().split("\n")) await perform(command);
    if (block.language === "") for (const line of block.text.trimEnd().split("\n")) await consumer?.line(line);
    if (block.language !== "ts") return;
    await stopApi();
    await Bun.write(join(project, fileOf(block)), block.text.replace(/.*\n/, ""));
  };
  for (const block of shopPages.flatMap(blocksIn)) await follow(block);

  for (const file of ["contracts/events.json", ...readdirSync(join(project, "src")).map((name) => `src/${name}`)].filter(isFile)) {
    expect([file, read(project, file)]).toEqual([file, read(shop, file)]);
  }
});

const isFile = (name: string) => /\.(ts|json)$/.test(name);
const read = (project: string, file: string) => readFileSync(join(project, file), "utf8");
