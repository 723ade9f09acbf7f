import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { messageOf } from "../observe/logging";
import { tell } from "../observe/terminal";
import { libraryFolder, projectFolder } from "../project/folder";
import { describeInputs, inputsFile, preparedFolder, preparedProgram } from "../project/prepared-start";

/** Packages that are loaded on first use, and only by some services. They stay in node_modules. */
const later = /^(@elysiajs\/swagger|@opentelemetry\/(?!api$).+|amqplib|file-type|jose|pino-pretty)$/;

/** The same program as `src/main.ts` starts from the sources, with the files of the project in place of a search for them. */
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
    // The page of the console is built when it is asked for.
    build.onResolve({ filter: /\/page-files$/ }, ({ path, importer }) => ({ path: `${join(dirname(importer), path)}.ts`, external: true }));
    // By its path, since the folder of the program may have another version.
    build.onResolve({ filter: later }, ({ path, importer }) => ({ path: Bun.resolveSync(path, dirname(importer)), external: true }));
  },
};

/** Builds what `bun run start` loads instead of the sources. Resolves with the exit code. */
export async function buildStart(): Promise<number> {
  const builtAt = Date.now();
  try {
    rmSync(preparedFolder, { recursive: true, force: true });
    mkdirSync(preparedFolder, { recursive: true });
  } catch (error) {
    tell(`Cannot write to ${preparedFolder}: ${messageOf(error)}`);
    return 1;
  }
  const built = await Bun.build({
    entrypoints: ["start"],
    outdir: preparedFolder,
    naming: { entry: "main.[ext]" },
    target: "bun",
    // The only format whose bytecode is read from a file.
    format: "cjs",
    bytecode: true,
    // The environment is read at the start.
    env: "disable",
    metafile: true,
    plugins: [startFile],
    throw: false,
  });
  for (const message of built.logs) tell(Bun.inspect(message));
  if (!built.success) {
    tell("The start is not prepared; `bun run start` uses the sources. A prepared start cannot contain a top-level await.");
    return 1;
  }
  const paths = Object.keys(built.metafile?.inputs ?? {}).filter((path) => path !== "warren:start");
  writeFileSync(
    inputsFile,
    JSON.stringify(
      describeInputs(
        paths.map((path) => resolve(path)),
        builtAt,
      ),
    ),
  );
  console.log(`Prepared ${preparedProgram}`);
  return 0;
}
