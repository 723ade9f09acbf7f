// examples/shop, installed as its README says, and the guide that builds it, command by command.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, blocksIn, fileOf, shopPages } from "../support/doc-pages";
import { temporaryFolder } from "../support/folder";
import { installing, succeedIn } from "../support/installed-project";
import { freePort } from "../support/net";
import { endAll, eventually, type Running, root, run, send, startApi } from "../support/processes";
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
async function startDev(
  project: string,
  port: number,
  { args = [], env = {} }: { readonly args?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<{ url: string; dev: Running }> {
  const dev = run(["run", "dev", ...args], { cwd: project, env: { ...installing, ...env, PORT: String(port) } });
  await dev.line("Warren listens on");
  return { url: `http://127.0.0.1:${port}`, dev };
}

test("is set up in a clone, and its check and tests pass", async () => {
  await succeedIn(shop, "run", "setup");
  await succeedIn(shop, "run", "check");
  expect(await succeedIn(shop, "test")).toMatch(/^ *0 fail$/m);
});

test("sells the last lamp once, over HTTP, and gives the others their money back", async () => {
  const payment = freePort();
  run(["tests/payment-service.ts"], { cwd: shop, env: { PORT: String(payment) } });
  const env = { PAYMENT_URL: `http://127.0.0.1:${payment}` };
  const { url } = await startDev(shop, freePort(), { args: ["--consumers"], env });
  const status = async (path: string, body?: object) => (await send("POST", `${url}${path}`, body)).status;
  await send("POST", `${url}/products`, { sku: "LAMP-1", title: "Desk lamp", price: 39.9, stock: 1 });
  await send("POST", `${url}/customers`, { email: "ada@example.com", name: "Ada" });
  expect(await (await fetch(`${url}/asyncapi.json`)).json()).toMatchObject({ info: { title: "Shop events" } });
  const ids = Array.from({ length: 8 }, (_, index) => index + 1);
  for (const id of ids) {
    expect(await status("/orders", order(1))).toBe(201);
    // An order that is cancelled already cannot be paid for.
    expect([200, 409]).toContain(await status(`/orders/${id}/pay`, { card: "card_1" }));
  }
  const count = async (list: string, ...states: string[]) => {
    const query = states.map((state) => `state=${state}&`).join("");
    return ((await (await fetch(`${url}/${list}?${query}count=true`)).json()) as { count: { value: number } }).count.value;
  };
  await eventually(async () => (await count("orders", "open")) + (await count("payments", "requested", "refunding")) === 0, "the end");
  expect([await count("orders", "confirmed"), await count("orders", "cancelled")]).toEqual([1, 7]);
  expect(await count("payments", "charged")).toBe(1);
});

test("one executable has it all", async () => {
  await succeedIn(shop, "run", "build");
  const api = await startApi({ program: join(shop, "dist/warren"), cwd: folder.path, env: { PORT: "0", RABBITMQ_URL: "none" } });
  expect((await send("POST", `${api.url}/orders/1/pay`, { card: "card_1" })).status).toBe(404);
  const { info } = (await (await send("GET", `${api.url}/swagger/json`)).json()) as { info: object };
  expect(info).toEqual({ title: "Shop API", version: "0.1.0", description: expect.stringContaining("order.expired") });
  expect(await api.stop()).toBe(0);
});

const withCurl = Bun.which("curl") || process.env["NO_SKIP"] ? test : test.skip;

withCurl("the guide builds it: every command does what it says", async () => {
  const project = join(folder.path, "shop");
  const port = freePort();
  const payments = { PORT: String(freePort()) };
  /** How to start `bun run dev`. Undefined until it is started. */
  let started: Parameters<typeof startDev>[2];
  let api: Running | undefined;

  const stopApi = async () => {
    await api?.stop();
    api = undefined;
  };
  const bash = (script: string, env: Record<string, string> = {}) =>
    run(["-c", script], { program: "bash", cwd: existsSync(project) ? project : root, env: { ...installing, ...env } });
  const output = async (script: string) => {
    const shell = bash(script);
    expect([script, await shell.exited, [...shell.stdout, ...shell.stderr].join("\n")]).toEqual([script, 0, expect.any(String)]);
    return shell.stdout.join("\n");
  };
  /** A comment has the status that is expected, or text that is part of the response when the consumers have done their work. */
  const curl = async (command: string) => {
    const [, request = "", status = "2..", text = ""] = /^curl (.*?)(?: +# (?:(\d{3})|(".*)))?$/.exec(command) ?? [];
    await eventually(async () => {
      const shown = await output(`curl -sS -w '\\n%{http_code}' ${request.replace("localhost:3000", `127.0.0.1:${port}`)}`);
      expect([command, shown]).toEqual([command, expect.stringMatching(new RegExp(`\n${status}$`))]);
      return shown.includes(text);
    }, command);
  };
  const perform = async (command: string) => {
    if (command.startsWith("cd ")) return;
    const dev = /^(.*?)bun run dev\b(.*)$/.exec(command);
    if (dev) {
      const [, settings = "", flags = ""] = dev;
      await stopApi();
      const env = Object.fromEntries([...settings.matchAll(/(\w+)=(\S+)/g)].map(([, ...pair]) => pair));
      started = { args: flags.trim().split(" ").filter(Boolean), env: { ...env, PAYMENT_URL: `http://127.0.0.1:${payments.PORT}` } };
    }
    // The API restarts when a file changes; here, before the next command.
    if (started) api ??= (await startDev(project, port, started)).dev;
    if (/\bbun run dev\b/.test(command)) return;
    if (command.startsWith("curl ")) await curl(command);
    else if (command.startsWith("bun run tests/")) bash(`exec ${command}`, payments);
    else await output(command.replace("../shop", project));
  };
  const follow = async (block: Block) => {
    if (block.language === "sh") for (const command of block.text.trimEnd().split("\n")) await perform(command);
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
