import { join } from "node:path";
import { builtInRoutes } from "../../built-in/routes";
import { UsageError } from "../../observe/command-line";
import { messageOf } from "../../observe/logging";
import { projectFolder } from "../../project/folder";
import { findRouteFiles } from "../../routing/router";
import type { Reference } from "../../schema/references";
import { checkNames } from "../../schema/resource-names";
import type { Added } from "./added";
import { importOf, literal, source } from "./code";
import { type ExistingResource, existingResource, existingResources } from "./existing";
import { type Field, parseField } from "./fields";
import { constantOf, fileOf, pluralOf, typeOf, withArticle, wordsOf } from "./names";
import { type Needed, neededBy, startFunction, startLine, testImports } from "./test-start";

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
  const existing = await existingResources();
  refuseTaken(name, plural, existing);
  for (const { to } of fields) if (to !== undefined && to !== name) existingResource(existing, to);
  const references = fields.flatMap(referenceOf);
  const needed = neededBy({ name, references, example: exampleOf(fields) }, existing);
  return resourceFiles(name, plural, fields, needed);
}

/**
 * Returns the files of a resource whose names are possible.
 *
 * @param needed The resources to which its example refers.
 */
export function resourceFiles(name: string, plural: string, fields: readonly Field[], needed: readonly Needed[] = []): Added {
  const path = `/${fileOf(plural)}`;
  return {
    files: {
      [`src/domain/${fileOf(name)}.ts`]: domainFile(name, plural, fields),
      [`routes${path}.ts`]: routeFile(name),
      [`tests${path}.test.ts`]: testFile(name, path, fields, needed),
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
    if (field.to !== name || field.optional) continue;
    throw new UsageError(
      `The reference "${field.name}" to "${name}" itself must be optional, or no record could be created. Add a ? at the end.`,
    );
  }
  try {
    checkNames({ name, plural, fields: fields.map((field) => ({ [field.name]: {} as never })), events: {}, past: [] });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function exampleOf(fields: readonly Field[]): object {
  return Object.fromEntries(fields.map((field) => [field.name, field.example]));
}

/** Returns the reference of a field, or none. */
function referenceOf({ name, to, optional, list }: Field): Reference[] {
  if (to === undefined) return [];
  return [{ path: list ? `${name}[]` : name, to, onDelete: optional && !list ? "null" : "restrict" }];
}

function refuseTaken(name: string, plural: string, existing: readonly ExistingResource[]): void {
  const resources = existing.map(({ resource }) => resource);
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

function domainFile(name: string, plural: string, fields: readonly Field[]): string {
  const references = fields.flatMap(referenceOf);
  const code = [
    `export const ${constantOf(name)} = defineResource({`,
    `  name: "${name}",`,
    ...(plural === `${name}s` ? [] : [`  plural: "${plural}",`]),
    "  fields: {",
    ...fields.map((field) => `    ${field.name}: ${field.schema},`),
    "  },",
    ...(references.length === 0 ? [] : ["  references: {", ...references.map(referenceLine), "  },"]),
    `  example: ${literal(exampleOf(fields))},`,
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

function referenceLine({ path, to, onDelete }: Reference): string {
  return `    ${path.endsWith("[]") ? `"${path}"` : path}: { to: "${to}", onDelete: "${onDelete}" },`;
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

function testFile(name: string, path: string, fields: readonly Field[], needed: readonly Needed[]): string {
  const constant = constantOf(name);
  const one = withArticle(wordsOf(name));
  const required = fields.find(({ optional }) => !optional);
  const [wrong, body] = required ? [`without ${withArticle(wordsOf(required.name))}`, "{}"] : ["with an unknown field", "{ unknown: 1 }"];
  return source(
    testImports([{ constant, file: fileOf(name) }, ...needed]),
    "",
    startFunction(needed, wordsOf(name)),
    `test("${one} is created, read and listed", async () => {`,
    startLine(needed),
    `  const created = await service.post("${path}", ${constant}.example);`,
    `  expect(created).toMatchObject({ ...${constant}.example, version: 1 });`,
    `  expect(await service.get(\`${path}/\${created.id}\`)).toEqual(created);`,
    `  expect(await service.get("${path}")).toMatchObject({ [${constant}.plural]: [created] });`,
    "});",
    "",
    `test("${one} ${wrong} is refused", async () => {`,
    startLine(needed),
    `  expect(await service.status("POST", "${path}", ${body})).toBe(422);`,
    "});",
  );
}
