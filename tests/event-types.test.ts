// Event types, the patterns that select them, and their resources.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { defineResource } from "warren/resource";
import { item } from "../src/domain/item";
import { findResources, loadCatalogue } from "../src/project/resources";
import { Catalogue, matchesTopic, UnknownEventType } from "../src/schema/catalogue";
import { root } from "./support/processes";
import { catalogue, order } from "./support/resources";
import { useFolder } from "./support/use-folder";

const all = ["item.created", "item.updated", "item.deleted", "order.created", "order.updated", "order.deleted"];

describe("the catalogue", () => {
  test("knows every event type, its resource, and whose a queue is", () => {
    expect(catalogue.eventTypes).toEqual(all);
    expect(catalogue.resourceOf("order.deleted")).toBe(order);
    expect(catalogue.resourceOf("order.exploded")).toBeUndefined();
    expect(catalogue.ownerOf("item_events")).toBe(item);
    expect(catalogue.ownerOf("audit")).toBeUndefined();
  });

  const clash = (options: { name: string; plural?: string }) =>
    defineResource({ ...options, fields: { a: Type.String() }, example: { a: "" } });
  test.each([
    ["a name twice", [clash({ name: "item" }), clash({ name: "item", plural: "things" })], '"item"'],
    ["a plural twice", [clash({ name: "person", plural: "people" }), clash({ name: "crowd", plural: "people" })], '"people"'],
    ["a name that is another's plural", [clash({ name: "new" }), clash({ name: "news", plural: "articles" })], '"news"'],
  ])("refuses %s", (_, resources, named) => {
    expect(() => new Catalogue(resources)).toThrow(`Two resources are named ${named}`);
  });

  test("a resource whose plural is its name is fine", () => {
    expect(new Catalogue([clash({ name: "sheep", plural: "sheep" })]).eventTypes).toHaveLength(3);
  });
});

describe("select", () => {
  test.each([
    [["item.created"], ["item.created"]],
    [["item.*"], all.slice(0, 3)],
    [["*.deleted"], ["item.deleted", "order.deleted"]],
    [["#"], all],
    [["*.*"], all],
    [["item.#"], all.slice(0, 3)],
    [
      ["order.deleted", "item.created", "item.*"],
      [...all.slice(0, 3), "order.deleted"],
    ],
    [[], []],
  ])("%p", (patterns, selected) => {
    expect(catalogue.select(patterns)).toEqual(selected);
  });

  test.each(["item.exploded", "items.*", "*", "item", "", " item.created", "item.created.#.x", "ITEM.CREATED"])(
    "refuses %p and lists the known types",
    (pattern) => {
      const refused = () => catalogue.select(["item.created", pattern]);
      expect(refused).toThrow(UnknownEventType);
      expect(refused).toThrow(`Unknown event type "${pattern}". Known: ${all.join(", ")};`);
    },
  );
});

describe("matchesTopic", () => {
  test("property: agrees with a regular expression built from the pattern", () => {
    const word = fc.constantFrom("a", "b", "item", "");
    const pattern = fc.array(fc.oneof(word, fc.constantFrom("*", "#")), { minLength: 1, maxLength: 6 });
    const key = fc.array(word, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(pattern, key, (pattern, key) => {
        // Each word with a dot behind it: none or more words are then one group, repeated.
        const parts: Record<string, string> = { "*": "[^.]*\\.", "#": "([^.]*\\.)*" };
        const oracle = new RegExp(`^${pattern.map((word) => parts[word] ?? `${word}\\.`).join("")}$`);
        expect(matchesTopic(pattern.join("."), key.join("."))).toBe(oracle.test(`${key.join(".")}.`));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["#", "item.created", true],
    ["item.#", "item", true],
    ["#.created", "created", true],
    ["*", "item.created", false],
    ["*.created", "created", false],
    ["item*", "item.created", false],
    ["a.#.b", "a.x.y.b", true],
    ["a.#.b", "a.x.y", false],
  ])("%s and %s: %p", (pattern, key, matches) => {
    expect(matchesTopic(pattern, key)).toBe(matches);
  });
});

describe("resources are found in their files", () => {
  const folder = useFolder();

  test("every export that defineResource made, in the order of the files; other exports and files are none", async () => {
    const defining = `import { defineResource } from "${join(root, "src/schema/define-resource")}";\nconst define = (name: string) => defineResource({ name, fields: {}, example: {} });\n`;
    await Bun.write(
      join(folder.path, "b.ts"),
      `${defining}export const second = define("second"), third = define("third"), limit = 3, nothing = null;`,
    );
    await Bun.write(join(folder.path, "a.ts"), `${defining}export default define("first");`);
    const found = await findResources(folder.path);
    expect(found.map(({ file, exportName, resource }) => [file, exportName, resource.name])).toEqual([
      ["a.ts", "default", "first"],
      ["b.ts", "second", "second"],
      ["b.ts", "third", "third"],
    ]);
  });

  test("items are among the program's own", async () => {
    expect((await loadCatalogue()).eventTypes).toEqual(expect.arrayContaining(all.slice(0, 3)));
  });
});
