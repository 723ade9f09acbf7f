// `bun run build`: one file that is the whole API, on a machine with nothing else.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json";
import { temporaryFolder } from "./support/folder";
import { endAll, root, run, send, startApi } from "./support/processes";

// A build takes its time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

const outfile = "dist/warren";

let folder: ReturnType<typeof temporaryFolder>;
let program: string;
let cwd: string;
beforeAll(async () => {
  folder = temporaryFolder();
  program = join(folder.path, "warren");
  cwd = join(folder.path, "empty");
  mkdirSync(cwd);
  // As the script says, but to another place.
  const command = packageJson.scripts.build.split(" && ").at(-1) ?? "";
  expect(command).toStartWith("bun build --compile ");
  expect(command).toEndWith(` --outfile ${outfile}`);
  const build = run(command.replace(outfile, program).split(" ").slice(1));
  expect([await build.exited, build.stderr.filter((line) => line.includes("error"))]).toEqual([0, []]);
});
afterEach(endAll);
afterAll(() => folder.remove());

describe("the executable", () => {
  test("serves items and Swagger UI in an empty folder, and stops with 0", async () => {
    const env = { PORT: "0", RABBITMQ_URL: "none" };
    const api = await startApi({ program, cwd, env });
    expect(readdirSync(cwd)).toEqual(["data"]);
    const created = await send("POST", `${api.url}/items`, { name: "Sample Item", price: 9.99 });
    expect([created.status, await created.json()]).toMatchObject([201, { id: 1, name: "Sample Item" }]);

    const page = await (await fetch(`${api.url}/swagger`)).text();
    const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    expect(links).toContain("/swagger/swagger-ui-bundle.js");
    for (const link of links) {
      const answer = await fetch(`${api.url}${link}`);
      const name = link.split("/").at(-1) as string;
      const source = Bun.file(join(root, "node_modules/swagger-ui-dist", name === "favicon.png" ? "favicon-32x32.png" : name));
      expect([link, answer.status]).toEqual([link, 200]);
      if (name !== "start.js") expect([link, Bun.hash(await answer.bytes())]).toEqual([link, Bun.hash(await source.bytes())]);
    }
    const { paths } = (await (await fetch(`${api.url}/swagger/json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toContain("/items/{id}");

    expect(await api.stop("SIGTERM")).toBe(0);
    expect(api.stderr).toEqual([]);
    const again = await startApi({ program, cwd, env });
    expect(await (await send("GET", `${again.url}/items/1`)).json()).toMatchObject({ id: 1, name: "Sample Item", version: 1 });
    expect(await again.stop("SIGINT")).toBe(0);
  });

  test("says what is wrong with its environment, as the source does", async () => {
    const api = run([], { program, cwd, env: { PORT: "http" } });
    expect(await api.exited).toBe(1);
    expect(api.stderr.join("\n")).toContain("PORT=http: use a whole number");
  });
});
