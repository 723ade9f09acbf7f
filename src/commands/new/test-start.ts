import { stepsOf, valuesAt } from "../../schema/path-values";
import type { Resource } from "../../schema/resource";
import { type ExistingResource, existingResource, routeOf } from "./existing";
import { withArticle } from "./names";

/** A resource that a test imports: its constant, and its file in `src/domain/`. */
export interface Imported {
  readonly constant: string;
  readonly file: string;
}

/** A resource of which a test creates a record first. */
export interface Needed extends Imported {
  /** The path at which it is mounted. */
  readonly route: string;
}

/**
 * Returns the resources to whose records the example of a resource refers, in the order in which a test can create them.
 *
 * @throws {UsageError} if one of them does not exist, or has no route.
 */
export function neededBy(
  { name, references, example }: Pick<Resource, "name" | "references" | "example">,
  existing: readonly ExistingResource[],
): Needed[] {
  const needed = new Map<string, Needed>();
  const visited = new Set([name]);
  const visit = (given: Pick<Resource, "references" | "example">) => {
    for (const { path, to } of given.references) {
      if (visited.has(to) || valuesAt(given.example, stepsOf(path)).length === 0) continue;
      visited.add(to);
      const other = existingResource(existing, to);
      visit(other.resource);
      needed.set(to, { constant: other.constant, file: other.file, route: routeOf(other) });
    }
  };
  visit({ references, example });
  return [...needed.values()];
}

/** Returns the imports of a test of routes. */
export function testImports(resources: readonly Imported[]): string[] {
  const imports = resources.map(({ constant, file }) => `import { ${constant} } from "../src/domain/${file}";`);
  return ['import { expect, test } from "bun:test";', 'import { testService } from "warren/testing";', ...imports.sort()];
}

/** Returns a function that starts the service with the needed records, or no lines if there are none. */
export function startFunction(needed: readonly Needed[], words: string): string[] {
  if (needed.length === 0) return [];
  return [
    `/** Starts the service with the records to which ${withArticle(words)} refers. */`,
    "async function start() {",
    "  const service = await testService();",
    ...needed.map(({ route, constant }) => `  await service.post("${route}", ${constant}.example);`),
    "  return service;",
    "}",
    "",
  ];
}

/** Returns the first line of a test. */
export function startLine(needed: readonly Needed[]): string {
  return `  await using service = await ${needed.length > 0 ? "start" : "testService"}();`;
}
