import { UsageError } from "../../observe/command-line";
import { completeFields } from "../../schema/complete-fields";
import type { Resource } from "../../schema/resource";
import type { Added } from "./added";
import { source } from "./code";
import { existingResource, existingResources, routeOf } from "./existing";
import { capitalized, checkFileName, fileOf, withArticle, wordsOf } from "./names";
import { type Imported, type Needed, neededBy, startFunction, startLine, testImports } from "./test-start";

/**
 * Returns the files of a new action on a record of a resource, and its test.
 *
 * @param words The name of the resource, then that of the action.
 * @throws {UsageError} for a name that is not possible, or a resource that does not exist or has no route.
 */
export async function newAction([resourceName, name, ...rest]: readonly string[]): Promise<Added> {
  if (resourceName === undefined || name === undefined) {
    throw new UsageError("Missing name of the resource or of the action, such as: new action ticket close");
  }
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".`);
  checkFileName("an action", name, "close");
  const existing = await existingResources();
  const found = existingResource(existing, resourceName);
  const { resource, constant, file } = found;
  const needed = neededBy({ name: resourceName, references: resource.references, example: resource.example }, existing);
  return actionFiles({ resource, constant, file, name, route: routeOf(found) }, needed);
}

interface NewAction extends Imported {
  readonly resource: Resource;
  /** The path at which the resource is mounted, such as `/tickets`. */
  readonly route: string;
  readonly name: string;
}

function actionFiles(added: NewAction, needed: readonly Needed[]): Added {
  const { resource, route, name } = added;
  const path = `${route}/:id/${name}`;
  const test = `tests/${name}-${fileOf(resource.name)}.test.ts`;
  const state = stateAfter(resource, name);
  return {
    files: { [`routes${route}/[id]/${name}.ts`]: actionFile(added, path, state), [test]: testFile(added, state, needed) },
    next: [
      [`bun test ${test}`, "runs its test"],
      ["bun run dev", `serves POST ${path}; see it at http://localhost:3000/swagger`],
    ],
  };
}

/** A field that holds one of several words, and the one of them that an action sets. */
interface State {
  readonly field: string;
  readonly word: string;
}

/** Returns the state that an action leads to by its name, such as `closed` for `close`. Undefined if there is none. */
function stateAfter(resource: Resource, action: string): State | undefined {
  const before: Readonly<Record<string, unknown>> = completeFields(resource, resource.example);
  for (const [field, { anyOf = [] }] of Object.entries(resource.fields.properties)) {
    if (Object.hasOwn(resource.derived, field)) continue;
    const words = (anyOf as { const?: unknown }[]).map((each) => each.const).filter((word) => typeof word === "string");
    const word = words.find((each) => each.startsWith(action) || each.startsWith(action.replace(/y$/, "i")));
    if (word !== undefined && before[field] !== word) return { field, word };
  }
  return undefined;
}

function actionFile({ resource, constant, file, name, route }: NewAction, path: string, state: State | undefined): string {
  const up = "../".repeat(route.split("/").length);
  const one = wordsOf(resource.name);
  const change = state
    ? [
        `  change({ ${state.field} }) {`,
        `    if (${state.field} === "${state.word}") throw new Conflict("The ${one} is ${state.word} already.");`,
        `    return { ${state.field}: "${state.word}" };`,
        "  },",
      ]
    : [
        "  change() {",
        `    // Return the fields to change. To refuse, import Conflict too: throw new Conflict("The ${one} is …").`,
        "    return {};",
        "  },",
      ];
  return source(
    `import { ${state ? "action, Conflict" : "action"} } from "warren/action";`,
    `import { ${constant} } from "${up}../src/domain/${file}";`,
    "",
    `// POST ${path}`,
    `export default action(${constant}, {`,
    `  summary: "${capitalized(wordsOf(name))} ${withArticle(one)}",`,
    change,
    "});",
  );
}

function testFile({ resource, constant, file, name, route }: NewAction, state: State | undefined, needed: readonly Needed[]): string {
  const one = wordsOf(resource.name);
  const url = `\`${route}/\${id}/${name}\``;
  return source(
    testImports([{ constant, file }, ...needed]),
    "",
    startFunction(needed, one),
    `test("${wordsOf(name)} ${withArticle(one)}", async () => {`,
    startLine(needed),
    `  const { id } = await service.post("${route}", ${constant}.example);`,
    state
      ? [
          `  expect(await service.post(${url})).toMatchObject({ id, ${state.field}: "${state.word}" });`,
          `  expect(await service.status("POST", ${url})).toBe(409);`,
        ]
      : [`  expect(await service.post(${url})).toMatchObject({ id });`],
    `  expect(await service.status("POST", "${route}/999/${name}")).toBe(404);`,
    "});",
  );
}
