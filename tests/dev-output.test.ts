// What `bun run dev --consumers` does with the lines of its programs, and which files it takes a program to consist of.
import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { importedFiles } from "../src/commands/dev/imported-files";
import { Lines, Names } from "../src/commands/dev/lines";
import { root } from "./support/processes";
import { useFolder } from "./support/use-folder";

const bytes = (text: string) => new TextEncoder().encode(text);

test("output is split into lines wherever its parts end, and a last line needs no end", () => {
  const seen: string[] = [];
  const lines = new Lines((line) => seen.push(line));
  const [start, rest] = [bytes("é").subarray(0, 1), bytes("é").subarray(1)];
  for (const part of [bytes("one\ntw"), bytes("o\r\n"), start, rest, bytes("\n\nlast")]) lines.add(part);
  expect(seen).toEqual(["one", "two", "é", ""]);
  lines.end();
  lines.end();
  expect(seen).toEqual(["one", "two", "é", "", "last"]);
});

describe("a line", () => {
  const names = new Names(false);
  names.add("api");
  names.add("shipping");

  test("gets the name of its program before it, as wide as the longest", () => {
    expect(names.mark("api", "hello")).toBe("api      | hello");
    expect(names.mark("shipping", "[1, 2]")).toBe("shipping | [1, 2]");
    expect(names.mark("api", "{ not JSON }")).toBe("api      | { not JSON }");
  });

  test("of JSON stays one, unchanged but for the name", () => {
    expect(names.mark("api", '{"level":"info","n":12345678901234567890}')).toBe(
      '{"program":"api","level":"info","n":12345678901234567890}',
    );
    expect(names.mark("api", "{}")).toBe('{"program":"api"}');
  });

  test("has a name in colour on a terminal, and colours no other line", () => {
    const coloured = new Names(true);
    coloured.add("api");
    coloured.add("shipping");
    const [api, shipping] = [coloured.mark("api", "hello"), coloured.mark("shipping", "\x1b[31mred")];
    expect(api).toBe("\x1b[36mapi      |\x1b[0m hello");
    expect(shipping).toBe("\x1b[33mshipping |\x1b[0m \x1b[31mred\x1b[0m");
  });
});

describe("a program consists of", () => {
  const folder = useFolder();
  const write = async (name: string, text: string) => {
    mkdirSync(join(folder.path, name, ".."), { recursive: true });
    await Bun.write(join(folder.path, name), text);
    return join(folder.path, name);
  };

  test("its file and all that it imports, in circles too, but for packages, types and what does not exist", async () => {
    const main = await write("main.ts", 'import "./a"; import type { T } from "./types"; import "elysia"; import "./missing";');
    const a = await write("a.ts", 'export { b } from "./lib/b"; const late = () => import("./late");');
    const b = await write("lib/b.ts", 'import "../a"; export const b = 1;');
    const late = await write("late.ts", "export {};");
    await write("types.ts", "export type T = 1;");
    expect([...importedFiles(main, new Map())].sort()).toEqual([a, b, late, main].sort());
  });

  test("its file alone, if that has a syntax error", async () => {
    const main = await write("broken.ts", 'import "./a"; export default {{{');
    expect([...importedFiles(main, new Map())]).toEqual([main]);
  });

  test("the library as well, in a clone of it", () => {
    const files = importedFiles(join(root, "consumers/logger.ts"), new Map());
    expect([...files]).toEqual(
      expect.arrayContaining(["public/consumer.ts", "embedded/consume.ts"].map((name) => join(root, "src", name))),
    );
  });
});
