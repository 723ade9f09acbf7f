import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";
import { libraryFolder, projectFolder } from "../project/folder";
import { describeInputs, inputsFile, preparedFolder, preparedProgram, silentInputs } from "../project/prepared-start";

/** Packages that only some services load, on first use. They stay in `node_modules/`. */
const later = /^(@elysiajs\/swagger|@opentelemetry\/.+|amqplib|file-type|jose|pino-pretty)$/;

/** Does the same as `src/main.ts`, with the files of the project in place of a search for them. */
function entry(): string {
  const from = (folder: string, file: string) => JSON.stringify(join(realpathSync(folder), "src", file));
  return `
    import { startApi } from ${from(libraryFolder, "app/serve")};
    import { provideResources } from ${from(libraryFolder, "project/resources")};
    import { consumers } from ${from(projectFolder, "consumers.generated")};
    import { resources } from ${from(projectFolder, "resources.generated")};
    import { routes } from ${from(projectFolder, "routes.generated")};
    provideResources(resources);
    void startApi(async () => ({ consumers, routes }), { isPrepared: true });`;
}

const startFile: BunPlugin = {
  name: "start-file",
  setup(build) {
    build.onResolve({ filter: /^start$/ }, () => ({ path: "start", namespace: "warren" }));
    build.onLoad({ filter: /.*/, namespace: "warren" }, () => ({ loader: "ts", contents: entry() }));
    // The page of the console is built from the sources when it is asked for.
    build.onResolve({ filter: /\/page-files$/ }, ({ path, importer }) => ({ path: `${join(dirname(importer), path)}.ts`, external: true }));
    // By their paths: where the program is, their names could mean other versions.
    build.onResolve({ filter: later }, ({ path, importer }) => ({ path: pathOf(path, dirname(importer)), external: true }));
  },
};

/** Returns the name itself if the package is not installed, as an optional one may be. */
function pathOf(name: string, from: string): string {
  try {
    return Bun.resolveSync(name, from);
  } catch {
    return name;
  }
}

const bytecode = `${preparedProgram}.jsc`;

/**
 * Builds what `bun run start` loads instead of the sources. Resolves with the exit code.
 *
 * @param generatedAt when `bun run generate` began to read the project, in milliseconds since 1970.
 */
export async function buildStart(generatedAt: number): Promise<number> {
  const builtAt = Date.now();
  try {
    for (const file of [inputsFile, bytecode]) rmSync(file, { force: true });
    mkdirSync(preparedFolder, { recursive: true });
  } catch (error) {
    tell(`Cannot write to ${preparedFolder}: ${messageOf(error)}`);
    return 1;
  }
  const built = await Bun.build({
    entrypoints: ["start"],
    outdir: preparedFolder,
    naming: { entry: "main.[ext]" },
    // Files that are served are found from any working directory.
    publicPath: `${preparedFolder}/`,
    target: "bun",
    // Bun reads the bytecode of a file in this format only. It has no top-level await.
    format: "cjs",
    bytecode: true,
    // The environment is that of the start, but Bun would write this one into the program as it is at the build.
    env: "disable",
    define: { "process.env.NODE_ENV": '"production"' },
    metafile: true,
    plugins: [startFile],
    throw: false,
  });
  for (const message of built.logs) tell(String(message));
  // Bun also succeeds with a program that it could not compile, and that no start can load.
  if (!built.success || !existsSync(bytecode)) {
    tell("`bun run start` uses the sources. Files that await something at their top level cannot be part of a prepared start.");
    return 1;
  }
  const read = Object.keys(built.metafile?.inputs ?? {}).filter((path) => path !== "warren:start");
  const bundled = read.map((path) => [resolve(path), builtAt] as const);
  const silent = silentInputs().map((path) => [path, generatedAt] as const);
  writeFileSync(inputsFile, JSON.stringify(describeInputs(new Map([...bundled, ...silent]))));
  console.log(`Prepared ${preparedProgram}`);
  return 0;
}
