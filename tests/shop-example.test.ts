// examples/shop: the project that docs/guide/shop.md builds. tests/deep/shop.deep.ts installs and runs it.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtInRoutes } from "../src/built-in/routes";
import { projectFiles } from "../src/commands/new/project-files";
import { blocksIn, fileOf, shopPages } from "./support/doc-pages";
import { root } from "./support/processes";

const shop = join(root, "examples/shop");
const textOf = (file: string) => readFileSync(join(shop, file), "utf8");

/** The shop's own files: its code and tests, without what is generated. */
const own = [...new Bun.Glob("{src,routes,consumers,tests}/**/*.ts").scanSync(shop)].filter((file) => !file.endsWith(".generated.ts"));

test("is a project as `bun run new service` makes it, and packs the library of the clone", () => {
  const made = projectFiles("shop", "warren-0.1.0.tgz");
  const { scripts, ...rest } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  const { setup, ...others } = scripts;
  // A new command need not be in the example.
  expect(JSON.parse(made["package.json"] ?? "")).toEqual({ ...rest, scripts: expect.objectContaining(others) });
  expect(setup).toStartWith("bun pm pack --cwd ../.. ");
  expect(JSON.parse(textOf("tsconfig.json"))).toEqual(JSON.parse(made["tsconfig.json"] ?? ""));
  expect(textOf("bunfig.toml")).toBe(made["bunfig.toml"] ?? "");
  expect(textOf(".gitignore")).toStartWith(made[".gitignore"] ?? "-");
});

test("has the files that the guide shows, and no others", () => {
  const shown = shopPages.flatMap(blocksIn).filter(({ language }) => language === "ts");
  for (const block of shown) expect(block.text).toBe(`// ${fileOf(block)}\n${textOf(fileOf(block))}`);
  expect(shown.map(fileOf).sort()).toEqual(own.sort());
});

test("its generated routes have those that every service has: `bun run setup` and `bun run generate` there write them", () => {
  const mounted = [...textOf("src/routes.generated.ts").matchAll(/builtInRoutes\["(.*?)"\]/g)].map(([, path]) => path);
  expect(mounted).toEqual(Object.keys(builtInRoutes));
});
