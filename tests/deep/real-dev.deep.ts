// `bun run dev`, as somebody uses it who edits files: in a copy of the project.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/net";
import { endAll, environment, type Running, run, send } from "../support/processes";
import { copyProject } from "../support/project-copy";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

let copy: ReturnType<typeof copyProject>;
let dev: Running;
let url: string;
beforeEach(async () => {
  copy = copyProject();
  const port = freePort();
  url = `http://127.0.0.1:${port}`;
  dev = run(["run", "dev"], { cwd: copy.path, env: { ...environment(copy.path), PORT: String(port) } });
  await starts(1);
});
afterEach(async () => {
  await dev.stop();
  await endAll();
  copy.remove();
});

const write = (name: string, text: string) => Bun.write(join(copy.path, name), text);
const starts = (count: number) => dev.lines(/Warren listens on/, count);
const get = async (path: string) => (await fetch(`${url}${path}`)).text();
const hello = (text: string) => `import { Elysia } from "elysia";
import { defineRoute } from "warren/route";

export default defineRoute(() => new Elysia().get("", () => "${text}"));
`;

test("a route that is added, changed or taken away is served so, and what was written stays", async () => {
  await send("POST", `${url}/items`, { name: "kept" });
  await write("routes/hello.ts", hello("one"));
  await starts(2);
  expect(await get("/hello")).toBe("one");
  expect(await Bun.file(join(copy.path, "src/routes.generated.ts")).text()).toContain('"/hello"');
  await write("routes/hello.ts", hello("two"));
  await starts(3);
  expect(await get("/hello")).toBe("two");
  rmSync(join(copy.path, "routes/hello.ts"));
  await starts(4);
  expect(await get("/hello")).toContain('"status":404');
  expect(await get("/items/1")).toContain('"name":"kept"');
  expect(dev.stdout.filter((line) => line.includes("Stopped"))).toHaveLength(3);
});

test("reports a mistake, and starts the API again when it is fixed", async () => {
  await write("routes/hello.ts", "export default {{{\n");
  await dev.line("Cannot load routes/hello.ts", "stderr");
  await dev.line("it starts again when a file changes", "stderr");
  await write("routes/hello.ts", hello("mended"));
  await starts(2);
  expect(await get("/hello")).toBe("mended");
});

test("a schema that refuses what is stored is a warning; `bun run start` refuses to start until it is fixed", async () => {
  await send("POST", `${url}/items`, { name: "kept" });
  const schema = await Bun.file(join(copy.path, "src/domain/item.ts")).text();
  await write("src/domain/item.ts", schema.replace('pattern: "\\\\S"', 'pattern: "^[A-Z]"'));
  const warning = await dev.line("Stored records do not match their schema");
  expect(warning).toContain("item 1: /name: ");
  await starts(2);
  const started = run(["run", "start"], { cwd: copy.path, env: environment(copy.path) });
  // The database is this API's own.
  await started.line("is in use by another Warren API", "stderr");
  await dev.stop();
  const refused = run(["run", "start"], { cwd: copy.path, env: environment(copy.path) });
  await refused.line("Warren cannot start. Stored records do not match their schema", "stderr");
  await refused.line("item 1: /name: ", "stderr");
  expect(await refused.exited).toBe(1);
  dev = run(["run", "dev"], { cwd: copy.path, env: { ...environment(copy.path), PORT: new URL(url).port } });
  await starts(1);
  expect((await send("PATCH", `${url}/items/1`, { name: "Kept" })).status).toBe(200);
  await dev.stop();
  const mended = run(["run", "start"], { cwd: copy.path, env: environment(copy.path) });
  await mended.line(/Warren listens on/);
  await mended.stop();
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} stops it, and leaves nothing behind`, async () => {
    expect(await dev.stop(signal)).toBe(0);
    expect(dev.stdout.at(-1)).toContain('"msg":"Stopped"');
    expect(await get("/health/live").catch((error: Error) => error.name)).not.toContain("live");
  });
}
