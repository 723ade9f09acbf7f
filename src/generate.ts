import { join, relative } from "node:path";
import { findResources } from "./domain/catalogue";
import { findConsumers } from "./find-consumers";
import { readOptions } from "./observe/command-line";
import { messageOf } from "./observe/logging";
import { loadRoutes, RouterError } from "./router";

const help = `Writes the modules that carry the types of routes/ and src/domain/, and what the documentation says of consumers/.

  bun run generate            writes those that are out of date
  bun run generate --check    says which are, and writes nothing; exit code 1 if any is`;

const root = join(import.meta.dir, "..");
const notice = (folder: string) => `// Generated from the files of ${folder} by \`bun run generate\`. Do not edit.\n`;

async function routesModule(): Promise<string> {
  const routes = await loadRoutes(join(root, "routes"));
  const imports = routes.map(({ file }, index) => `import route${index} from "../routes/${file.replace(/\.tsx?$/, "")}";\n`);
  const list = routes.map(({ file, path }, index) => `  { file: "${file}", path: "${path}", route: route${index} },\n`);
  const mounts = routes.map(
    ({ path }, index) => `    .use(new Elysia({ prefix: "${path === "/" ? "" : path}" }).use(route${index}(dependencies)))\n`,
  );
  return `${notice("routes/")}import { Elysia } from "elysia";
${imports.join("")}import type { Dependencies } from "./route";
import type { LoadedRoute } from "./router";

export const routes: readonly LoadedRoute[] = [
${list.join("")}];

const typed = (dependencies: Dependencies) =>
  new Elysia()
${mounts.join("").trimEnd()};

/** The routes with their types, for an Eden client: \`treaty<App>("localhost:3000")\`. */
export type App = ReturnType<typeof typed>;
`;
}

async function catalogueModule(): Promise<string> {
  const found = await findResources(join(root, "src/domain"));
  const imports = found.map(({ file, exportName }) => `import { ${exportName} } from "./${file.replace(/\.ts$/, "")}";\n`);
  return `${notice("this folder")}${imports.join("")}
export const resources = { ${found.map(({ exportName, resource }) => (exportName === resource.name ? exportName : `${resource.name}: ${exportName}`)).join(", ")} };
`;
}

async function consumersModule(): Promise<string> {
  const found = await findConsumers(join(root, "consumers"));
  return `${notice("consumers/")}import type { FoundConsumer } from "./find-consumers";

export const consumers: readonly FoundConsumer[] = [
${found.map((consumer) => `  ${JSON.stringify(consumer)},\n`).join("")}];
`;
}

const modules = { "src/routes.generated.ts": routesModule, "src/domain/catalogue.generated.ts": catalogueModule };
const { check: checkOnly } = readOptions(process.argv.slice(2), help, { check: { type: "boolean", default: false } });
let stale = 0;
try {
  for (const [name, build] of Object.entries(modules)) await update(join(root, name), await build());
} catch (error) {
  if (!(error instanceof RouterError)) throw error;
  console.error(error.message);
  process.exit(1);
}
// The last: the API runs without, and whatever a consumer's file does is done by then.
try {
  await update(join(root, "src/consumers.generated.ts"), await consumersModule());
} catch (error) {
  console.error(messageOf(error));
  stale += 1;
}
process.exit(checkOnly && stale > 0 ? 1 : 0);

async function update(path: string, text: string): Promise<void> {
  const current = await Bun.file(path)
    .text()
    .catch(() => undefined);
  if (current === text) return;
  stale += 1;
  if (checkOnly) console.error(`${relative(root, path)} is out of date: run \`bun run generate\` and commit it.`);
  else {
    await Bun.write(path, text);
    console.error(`Wrote ${relative(root, path)}`);
  }
}
