import { join } from "node:path";
import { builtInRoutes } from "../../built-in/routes";
import { UsageError } from "../../observe/command-line";
import { messageOf } from "../../observe/logging";
import { projectFolder } from "../../project/folder";
import { loadCatalogue } from "../../project/resources";
import { findRouteFiles } from "../../routing/router";
import { checkNames } from "../../schema/resource-names";
import type { Added } from "./added";
import { importOf, literal, source } from "./code";
import { type Field, parseField } from "./fields";
import { constantOf, fileOf, pluralOf, typeOf, withArticle, wordsOf } from "./names";

/**
 * Returns the files of a new resource: its declaration, its route, and a test.
 *
 * @param words Its name, then its fields, such as `title:string`.
 * @throws {UsageError} for a name or type that is not possible, and if the project has the resource or its path.
 */
export async function newResource([name, ...rest]: readonly string[], givenPlural: string | undefined): Promise<Added> {
  if (name === undefined) throw new UsageError("Missing name of the resource, such as: new resource ticket title:string");
  const fields = rest.map(parseField);
  const plural = givenPlural ?? pluralOf(name);
  checkDeclaration(name, plural, fields);
  await refuseTaken(name, plural);
  return resourceFiles(name, plural, fields);
}

/** Returns the files of a resource whose names are possible. */
export function resourceFiles(name: string, plural: string, fields: readonly Field[]): Added {
  const path = `/${fileOf(plural)}`;
  const example = Object.fromEntries(fields.map((field) => [field.name, field.example]));
  return {
    files: {
      [`src/domain/${fileOf(name)}.ts`]: domainFile(name, plural, fields, example),
      [`routes${path}.ts`]: routeFile(name),
      [`tests${path}.test.ts`]: testFile(name, path, fields),
    },
    next: [
      [`bun test tests${path}.test.ts`, "runs its test"],
      ["bun run dev", `serves it at http://localhost:3000${path}; the API is documented at http://localhost:3000/swagger`],
      [`bun run new consumer ${fileOf(name)}-log ${name}.created`, "adds a consumer of its events"],
    ],
  };
}

function checkDeclaration(name: string, plural: string, fields: readonly Field[]): void {
  if (fields.length === 0) throw new UsageError(`The resource "${name}" needs a field, such as title:string.`);
  const seen = new Set<string>();
  for (const field of fields) {
    if (seen.has(field.name)) throw new UsageError(`The field "${field.name}" is given twice.`);
    seen.add(field.name);
  }
  try {
    checkNames({ name, plural, fields: fields.map((field) => ({ [field.name]: {} as never })), events: {}, past: [] });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

async function refuseTaken(name: string, plural: string): Promise<void> {
  const { resources } = await loadCatalogue();
  const other = resources.find((resource) => [resource.name, resource.plural].some((word) => word === name || word === plural));
  if (other) {
    throw new UsageError(
      `src/domain/ has the resource "${other.name}" (plural "${other.plural}") already. Use another name, or --plural for another plural.`,
    );
  }
  const path = `/${fileOf(plural)}`;
  const route = findRouteFiles(join(projectFolder, "routes")).find((each) => each.path === path);
  const holder = route ? `routes/${route.file}` : Object.hasOwn(builtInRoutes, path) ? "a route of every service" : undefined;
  if (holder) throw new UsageError(`The path ${path} belongs to ${holder}. Use another name, or --plural for another path.`);
}

function domainFile(name: string, plural: string, fields: readonly Field[], example: object): string {
  const code = [
    `export const ${constantOf(name)} = defineResource({`,
    `  name: "${name}",`,
    ...(plural === `${name}s` ? [] : [`  plural: "${plural}",`]),
    "  fields: {",
    ...fields.map((field) => `    ${field.name}: ${field.schema},`),
    "  },",
    `  example: ${literal(example)},`,
    "});",
    "",
    `export type ${typeOf(name)} = RecordOf<typeof ${constantOf(name)}>;`,
  ];
  const text = code.join("\n");
  return source(
    importOf(["Type"], "@sinclair/typebox", text.replace(/^export type .*$/m, "")),
    importOf(["defineResource", "Nullable", "oneOf", "type RecordOf"], "warren/resource", text),
    "",
    code,
  );
}

function routeFile(name: string): string {
  const constant = constantOf(name);
  return source(
    'import { crud } from "warren/crud";',
    `import { ${constant} } from "../src/domain/${fileOf(name)}";`,
    "",
    `export default crud(${constant});`,
  );
}

function testFile(name: string, path: string, fields: readonly Field[]): string {
  const constant = constantOf(name);
  const one = withArticle(wordsOf(name));
  const required = fields.find(({ optional }) => !optional);
  const [wrong, body] = required ? [`without ${withArticle(wordsOf(required.name))}`, "{}"] : ["with an unknown field", "{ unknown: 1 }"];
  return source(
    'import { expect, test } from "bun:test";',
    'import { testService } from "warren/testing";',
    `import { ${constant} } from "../src/domain/${fileOf(name)}";`,
    "",
    `test("${one} is created, read and listed", async () => {`,
    "  await using service = await testService();",
    `  const created = await service.post("${path}", ${constant}.example);`,
    `  expect(created).toMatchObject({ ...${constant}.example, version: 1 });`,
    `  expect(await service.get(\`${path}/\${created.id}\`)).toEqual(created);`,
    `  expect(await service.get("${path}")).toMatchObject({ [${constant}.plural]: [created] });`,
    "});",
    "",
    `test("${one} ${wrong} is refused", async () => {`,
    "  await using service = await testService();",
    `  expect(await service.status("POST", "${path}", ${body})).toBe(422);`,
    "});",
  );
}
