// The library as a package, in a project that `bun run new service` makes and that has files of its own only.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { installing, succeedIn } from "../support/installed-project";
import { freePort } from "../support/net";
import { endAll, run, send, startApi } from "../support/processes";

// Packing, installing and building take their time; what hangs still ends.
setDefaultTimeout(300_000);

const files = {
  "src/domain/product.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const product = defineResource({
  name: "product",
  fields: { title: Type.String({ minLength: 1 }), stock: Type.Integer({ minimum: 0, default: 0 }) },
  example: { title: "Kettle", stock: 3 },
});
`,
  "routes/products.ts": `import { crud } from "warren/crud";
import { product } from "../src/domain/product";

export default crud(product);
`,
  "routes/count.ts": `import { Elysia } from "elysia";
import { defineRoute } from "warren/route";

export default defineRoute(({ system }) => new Elysia().get("", async () => \`\${await system.log.end()} events\`));
`,
  "consumers/restock.ts": `import { type ConsumerOptions, runConsumer } from "warren/consumer";

export const restock = {
  queue: "restock",
  events: ["product.created"],
  handle: ({ product }) => console.log(\`\${product.stock} of \${product.title}\`),
} satisfies ConsumerOptions<"product.created">;

if (import.meta.main) await runConsumer(restock);
`,
  "tests/restock.test.ts": `import { expect, test } from "bun:test";
import { buildEvent, testConsumer } from "warren/testing";
import { restock } from "../consumers/restock";

test("a product is handled", async () => {
  await using consumer = testConsumer(restock);
  expect(await consumer.deliver(buildEvent("product.created", { stock: 2 }))).toEqual({ action: "ack", result: "handled" });
});
`,
};

let folder: ReturnType<typeof temporaryFolder>;
let project: string;
let created: string;
beforeAll(async () => {
  folder = temporaryFolder();
  project = join(folder.path, "shop");
  // `bun run new service` packs the library and installs it.
  const creating = run(["src/commands/new.ts", "service", project], { env: installing });
  expect([await creating.exited, creating.stderr.join("\n")]).toEqual([0, expect.anything()]);
  created = creating.stdout.join("\n");
  for (const [name, text] of Object.entries(files)) await Bun.write(join(project, name), text);
});
afterEach(endAll);
afterAll(() => folder.remove());

const succeed = (...args: string[]) => succeedIn(project, ...args);

test("the package holds the library, and nothing of a project", () => {
  const installed = join(project, "node_modules/warren");
  expect(existsSync(join(installed, "src/public/crud.ts"))).toBe(true);
  for (const absent of ["routes", "consumers", "tests", "contracts", "src/domain", "src/routes.generated.ts"]) {
    expect([absent, existsSync(join(installed, absent))]).toEqual([absent, false]);
  }
});

test("a new service is whole: it says what is next, and its check and tests pass", async () => {
  expect(created).toContain("bun run check && bun test");
  const names = ["Dockerfile", "README.md", "bun.lock", "bunfig.toml", "consumers", "contracts", "package.json", "routes", "src", "tests"];
  const hidden = [".dockerignore", ".gitignore"];
  expect(readdirSync(project)).toEqual(expect.arrayContaining([...hidden, ...names, "biome.json", "tsconfig.json", "vendor"]));
  const images = [...(await Bun.file(join(project, "Dockerfile")).text()).matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  expect(images).toEqual([expect.stringMatching(/@sha256:[0-9a-f]{64}$/), expect.stringMatching(/@sha256:[0-9a-f]{64}$/)]);
  expect(await succeed("x", "warren", "generate")).toContain("Wrote src/routes.generated.ts");
  await succeed("x", "warren", "contracts", "update");
  await succeed("run", "check");
  expect(await succeed("test")).toContain("4 pass");
  expect(await succeed("run", "doctor")).toContain("No problems found.");
});

test("what is generated in it passes its check and tests at once, however many fields it has", async () => {
  const types = [
    "string",
    "text?",
    "integer",
    "number?",
    "boolean",
    "date",
    "date-time?",
    "email",
    "uri?",
    "uuid",
    "a|b",
    "string[]",
    "c|d[]?",
  ];
  const fields = types.map((type, index) => `field${index}:${type}`);
  await succeed("run", "new", "resource", "order_line", ...fields);
  await succeed("run", "new", "resource", "category", "state:open|closed");
  const references = ["category:->category", "lines:->order_line[]", "extra:->order_line[]?", "before:ref(parcel)?"];
  await succeed("run", "new", "resource", "parcel", ...references);
  await succeed("run", "new", "resource", "stop", "parcel:->parcel");
  await succeed("run", "new", "action", "stop", "visit");
  await succeed("run", "new", "action", "category", "close");
  await succeed("run", "new", "action", "order_line", "weigh-again");
  await succeed("run", "new", "consumer", "reminders", "order_line.*", "category.created");
  await succeed("run", "check");
  expect(await succeed("test")).toContain("19 pass");
});

test("the API serves the project's routes, and a consumer gets its events", async () => {
  const env = { ...installing, PORT: String(freePort()) };
  const api = run(["x", "warren", "dev", "--consumers"], { cwd: project, env });
  const url = /http:\/\/[\d.:]+/.exec(await api.line("Warren listens on"))?.[0] ?? "";
  expect((await send("POST", `${url}/products`, { title: "Kettle" })).status).toBe(201);
  expect(await (await fetch(`${url}/count`)).text()).toBe("1 events");
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  const events = (await (await fetch(`${url}/asyncapi.json`)).json()) as { channels: object };
  expect(JSON.stringify(events)).toContain("restock");
  expect(await api.line("0 of Kettle")).toStartWith("restock ");
  expect(await succeed("x", "warren", "status")).toContain("restock");
  expect(await api.stop("SIGINT")).toBe(0);
});

test("what the Dockerfile copies is enough to serve it", async () => {
  const image = join(folder.path, "image");
  const text = (name: string) => Bun.file(join(project, name)).text();
  const dockerfile = await text("Dockerfile");
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = ""]) => names.split(" "));
  const allowed = (await text(".dockerignore")).split("\n").map((line) => line.replace("!", ""));
  for (const name of new Set(copied)) {
    expect(allowed).toContain(name);
    cpSync(join(project, name), join(image, name), { recursive: true });
  }
  const env = { HOME: process.env["HOME"] ?? "" };
  const installing = run(["install", "--frozen-lockfile", "--production"], { cwd: image, env });
  expect([await installing.exited, existsSync(join(image, "node_modules/@biomejs/biome"))]).toEqual([0, false]);
  const [, builder = ""] = /^RUN bun (\S+) --start \|\| true$/m.exec(dockerfile) ?? [];
  expect(await run([builder, "--start"], { cwd: image, env }).exited).toBe(0);
  const [, program = ""] = /^CMD \["bun", "([^"]+)"\]$/m.exec(dockerfile) ?? [];
  const api = run([program], { cwd: image, env: { ...env, NODE_ENV: "production", PORT: "0", RABBITMQ_URL: "none" } });
  const line = await api.line("Warren listens on");
  expect(JSON.parse(line)).toMatchObject({ prepared: true });
  const url = /http:\/\/[\d.:]+/.exec(line)?.[0] ?? "";
  expect((await send("POST", `${url}/notes`, { title: "a" })).status).toBe(201);
  expect((await fetch(`${url}/swagger`)).status).toBe(200);
  expect((await fetch(`${url}/asyncapi`)).status).toBe(200);
  expect(await api.stop()).toBe(0);
});

test("one executable has it all", async () => {
  await succeed("x", "warren", "build");
  const program = join(project, "dist/warren");
  const env = { PORT: "0", RABBITMQ_URL: "none" };
  const api = await startApi({ program, cwd: folder.path, env });
  const consumer = run(["consumer", "restock"], { program, cwd: folder.path, env });
  expect((await send("POST", `${api.url}/products`, { title: "Kettle", stock: 0 })).status).toBe(201);
  await consumer.line("0 of Kettle");
  expect([await consumer.stop(), await api.stop()]).toEqual([0, 0]);
});

test("an unknown command is refused with those that there are", async () => {
  const refused = run(["x", "warren", "deploy"], { cwd: project, env: installing });
  expect(await refused.exited).toBe(2);
  expect(refused.stderr[0]).toStartWith('Unknown command "deploy". Commands: dev, start, ');
});
