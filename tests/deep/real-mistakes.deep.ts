// Mistakes in routes/ and stale generated modules, as somebody who grows the project meets them: in a copy of it.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { endAll, environment, type RunOptions, run, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

let copy: ReturnType<typeof copyProject>;
let options: RunOptions;
beforeEach(() => {
  copy = copyProject();
  options = { cwd: copy.path, env: environment(copy.path) };
});
afterEach(async () => {
  await endAll();
  copy.remove();
});

const write = (name: string, text: string) => Bun.write(join(copy.path, name), text);
const read = (name: string) => Bun.file(join(copy.path, name)).text();

/** Runs a program to its end. */
async function ended(...args: string[]): Promise<{ code: number; said: string }> {
  const program = run(args, options);
  return { code: await program.exited, said: program.stderr.join("\n") };
}

const hello = `import { Elysia } from "elysia";
import { defineRoute } from "warren/route";

export default defineRoute(() => new Elysia().get("", () => "Hello"));
`;

describe("the start is refused, in words,", () => {
  test("when two files have one path", async () => {
    await write("routes/items/index.ts", hello);
    const { code, said } = await ended("src/main.ts");
    expect(code).toBe(1);
    expect(said).toStartWith("Two files have the same path: routes/items.ts and routes/items/index.ts both map to /items.");
    expect(said).not.toContain("    at ");
  });

  const wrong = {
    "has no default export": "export const route = 1;\n",
    "has a default export that is no route": 'import { item } from "../src/domain/item";\n\nexport default item;\n',
    "exports a function that builds something else": "export default () => ({ get: 1 });\n",
  };
  for (const [what, text] of Object.entries(wrong)) {
    test(`when a file ${what}; the example that is shown works`, async () => {
      await write("routes/admin/[name].ts", text.replace('"../src', '"../../src'));
      const { code, said } = await ended("src/main.ts");
      expect(code).toBe(1);
      expect(said).toStartWith("routes/admin/[name].ts is not a route: ");
      const example = said.split("\n").filter((line) => line.startsWith("  "));
      await write("routes/admin/[name].ts", example.map((line) => line.slice(2)).join("\n"));
      const api = await startApi(options);
      const answer = await fetch(`${api.url}/admin/ada`);
      expect([answer.status, await answer.text()]).toEqual([200, "Hello"]);
    });
  }

  test("when a file cannot be read as TypeScript, or fails as it is loaded: the place is shown", async () => {
    await write("routes/broken.ts", "export default {{{\n");
    const broken = await ended("src/main.ts");
    expect(broken.code).toBe(1);
    expect(broken.said).toStartWith("Cannot load routes/broken.ts:");
    expect(broken.said).toContain("routes/broken.ts:1:17");
    await write("routes/broken.ts", 'import { nothing } from "./nowhere";\n\nexport default nothing;\n');
    const lost = await ended("src/main.ts");
    expect(lost.code).toBe(1);
    expect(lost.said).toStartWith("Cannot load routes/broken.ts:");
    expect(lost.said).toContain("./nowhere");
  });
});

describe("the generated modules", () => {
  test("are checked: a new route, a new resource, or an edit by hand makes them stale; generating mends that", async () => {
    expect(await ended("src/commands/generate.ts", "--check")).toEqual({ code: 0, said: "" });
    const before = await read("src/routes.generated.ts");

    await write("routes/hello.ts", hello);
    expect(await ended("src/commands/generate.ts", "--check")).toEqual({
      code: 1,
      said: "src/routes.generated.ts is out of date: run `bun run generate` and commit it.",
    });
    expect(await read("src/routes.generated.ts")).toBe(before);
    expect((await ended("src/commands/generate.ts")).code).toBe(0);
    expect(await read("src/routes.generated.ts")).toContain('"/hello"');
    expect(await ended("src/commands/generate.ts", "--check")).toEqual({ code: 0, said: "" });

    const resource = await read("src/domain/item.ts");
    await write("src/domain/gadget.ts", resource.replaceAll("item", "gadget").replaceAll("Item", "Gadget"));
    expect(await ended("src/commands/generate.ts", "--check")).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^src\/resources.generated.ts is out of date/),
    });
    expect((await ended("src/commands/generate.ts")).code).toBe(0);

    await write("src/routes.generated.ts", `${await read("src/routes.generated.ts")}// mine\n`);
    expect(await ended("src/commands/generate.ts", "--check")).toMatchObject({
      code: 1,
      said: expect.stringMatching(/^src\/routes.generated.ts is out of date/),
    });
  });

  test("are not generated from routes with a mistake, which is reported as at the start", async () => {
    await write("routes/items/index.ts", hello);
    const { code, said } = await ended("src/commands/generate.ts");
    expect(code).toBe(1);
    expect(said).toStartWith("Two files have the same path: ");
  });
});
