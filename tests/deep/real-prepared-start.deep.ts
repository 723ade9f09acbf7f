// `bun run build --start` and `bun run start`: one file instead of the sources, as long as it is what the sources are.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, run, send } from "../support/processes";
import { copyProject } from "../support/project-copy";

// A build takes its time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

let project: ReturnType<typeof copyProject>;
let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  project = copyProject();
  place = temporaryFolder();
});
afterEach(endAll);
afterAll(() => {
  project.remove();
  place.remove();
});

const inProject = (...names: string[]) => join(project.path, ...names);

async function build(): Promise<{ code: number; errors: string }> {
  const building = run(["src/commands/build.ts", "--start"], { cwd: project.path });
  return { code: await building.exited, errors: building.stderr.join("\n") };
}

/** Starts the API as `bun run start` does. Resolves when it listens. */
async function start(cwd = project.path) {
  const api = run([inProject("src/start.ts")], { cwd, env: { ...environment(place.path), NODE_ENV: "production" } });
  const { msg, prepared = false } = JSON.parse(await api.line("Warren listens on")) as { msg: string; prepared?: boolean };
  return { ...api, prepared, url: /http:\/\/[\d.:]+/.exec(msg)?.[0] ?? "" };
}

/** Starts the API and stops it again. Resolves with whether it was the prepared one, and the status of a path. */
async function startOnce(path = "/items"): Promise<[prepared: boolean, status: number]> {
  const api = await start();
  const { status } = await send("GET", `${api.url}${path}`);
  expect([await api.stop(), api.stderr]).toEqual([0, []]);
  return [api.prepared, status];
}

test("without a build, the API starts from the sources", async () => {
  expect(await startOnce()).toEqual([false, 200]);
});

describe("after a build", () => {
  beforeAll(async () => {
    expect(await build()).toEqual({ code: 0, errors: "" });
  });

  test("it serves the same, whatever the working directory: records, documents, pages and the console", async () => {
    const api = await start(place.path);
    expect(api.prepared).toBe(true);
    const created = await send("POST", `${api.url}/items`, { name: "Sample Item", price: 9.99 });
    expect([created.status, await created.json()]).toMatchObject([201, { name: "Sample Item" }]);
    expect(((await (await fetch(`${api.url}/swagger/json`)).json()) as { paths: object }).paths).toHaveProperty("/items/{id}");
    expect(((await (await fetch(`${api.url}/asyncapi.json`)).json()) as { operations: object }).operations).toHaveProperty([
      "consume.audit",
    ]);
    const links = new Set<string>();
    for (const path of ["/swagger", "/console/"]) {
      const page = await (await fetch(`${api.url}${path}`)).text();
      for (const [, link = ""] of page.matchAll(/(?:src|href)="([^"]+)"/g)) links.add(new URL(link, `${api.url}${path}`).href);
    }
    expect(links.size).toBeGreaterThan(5);
    for (const link of links) expect([link, (await fetch(link)).status]).toEqual([link, 200]);
    expect([await api.stop(), api.stderr]).toEqual([0, []]);
  });

  test("a route that changes is served as it is now; changed back, what was built is used again", async () => {
    const file = inProject("routes/items.ts");
    const text = await Bun.file(file).text();
    await Bun.write(file, text.replace("crud(item)", 'crud(item, { only: ["create"] })'));
    expect(await startOnce()).toEqual([false, 405]);
    await Bun.write(file, text);
    expect(await startOnce()).toEqual([true, 200]);
  });

  test("a new route is served, and one that is gone is not", async () => {
    const text = 'import { Elysia } from "elysia";\nexport default () => new Elysia().get("", () => "Hello");\n';
    await Bun.write(inProject("routes/hello.ts"), text);
    expect(await startOnce("/hello")).toEqual([false, 200]);
    rmSync(inProject("routes/hello.ts"));
    expect(await startOnce("/hello")).toEqual([true, 404]);
  });

  test("a file that no build reads counts, too: a new resource in a file of types, another setting", async () => {
    for (const name of ["src/domain/types.ts", "tsconfig.json"]) {
      const file = inProject(name);
      const text = (await Bun.file(file).exists()) ? await Bun.file(file).text() : undefined;
      await Bun.write(file, `${text ?? ""}\n`);
      expect([name, await startOnce()]).toEqual([name, [false, 200]]);
      if (text === undefined) rmSync(file);
      else await Bun.write(file, text);
    }
    expect(await startOnce()).toEqual([true, 200]);
  });

  test("a start in production is one, wherever it was built", async () => {
    const text = 'import { Elysia } from "elysia";\nexport default () => new Elysia().get("", () => process.env.NODE_ENV ?? "");\n';
    await Bun.write(inProject("routes/mode.ts"), text);
    expect((await build()).code).toBe(0);
    const api = await start();
    expect([api.prepared, await (await fetch(`${api.url}/mode`)).text()]).toEqual([true, "production"]);
    expect(await api.stop()).toBe(0);
    rmSync(inProject("routes/mode.ts"));
    expect((await build()).code).toBe(0);
  });

  test("what another version of Bun has built is not used", async () => {
    const file = inProject("dist/start/inputs.json");
    const inputs = await Bun.file(file).text();
    await Bun.write(file, inputs.replace(Bun.version, "1.4.4"));
    expect(await startOnce()).toEqual([false, 200]);
    await Bun.write(file, inputs);
  });

  test("a build that was interrupted, or whose program is missing, is not used", async () => {
    const file = inProject("dist/start/inputs.json");
    const inputs = await Bun.file(file).text();
    await Bun.write(file, inputs.slice(0, 1000));
    expect(await startOnce()).toEqual([false, 200]);
    await Bun.write(file, inputs);
    rmSync(inProject("dist/start/main.js"));
    expect(await startOnce()).toEqual([false, 200]);
    expect(await build()).toEqual({ code: 0, errors: "" });
  });

  test("a build of files that await at their top level says that it cannot, and the sources are used", async () => {
    const text = 'import { Elysia } from "elysia";\nawait 0;\nexport default () => new Elysia().get("", () => "Hello");\n';
    await Bun.write(inProject("routes/late.ts"), text);
    const { code, errors } = await build();
    expect([code, errors]).toEqual([1, expect.stringContaining("await something at their top level cannot be part of a prepared start")]);
    expect(await startOnce("/late")).toEqual([false, 200]);
    rmSync(inProject("routes/late.ts"));
  });

  test("a build that Bun cannot compile is not used", async () => {
    const text =
      'import { Elysia } from "elysia";\nexport default () => new Elysia().get("", () => Object.keys(import.meta.env).length);\n';
    await Bun.write(inProject("routes/meta.ts"), text);
    const { code } = await build();
    expect(await startOnce("/meta")).toEqual([code === 0, 200]);
    rmSync(inProject("routes/meta.ts"));
  });

  test("a folder that cannot be written to is named, and the sources are used", async () => {
    rmSync(inProject("dist"), { recursive: true });
    writeFileSync(inProject("dist"), "");
    const { code, errors } = await build();
    expect([code, errors]).toEqual([1, expect.stringContaining(`Cannot write to ${inProject("dist/start")}`)]);
    expect(await startOnce()).toEqual([false, 200]);
    rmSync(inProject("dist"));
    mkdirSync(inProject("dist"));
  });
});
