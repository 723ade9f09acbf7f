import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { parseOptions, runCommand } from "../observe/command-line";
import { tell } from "../observe/terminal";
import { projectFolder } from "../project/folder";
import { buildStart } from "./build-start";
import { runBun } from "./run-bun";

const help = `Builds the API, the consumers and the commands as one executable, which needs neither Bun nor this folder. With --start, prepares
\`bun run start\` instead.

  bun run build

  dist/warren                    runs the API
  dist/warren consumer logger    runs consumers/logger.ts
  dist/warren status             runs a command
  dist/warren --help             lists all of them

  bun run build --start          writes dist/start/, which bun run start loads within half the time. It uses the
                                 sources again as soon as one of them, a package or Bun has changed.

Options:
  --start          prepare bun run start
  --outfile FILE   output file; default dist/warren
  --help           print this help`;

/** In one executable, no consumer is the file that the process runs: each compares the one that was chosen with its own name. */
const mainConsumer: BunPlugin = {
  name: "main-consumer",
  setup(build) {
    const consumers = join(projectFolder, "consumers");
    // The bundler knows files by their real paths.
    const folder = existsSync(consumers) ? realpathSync(consumers) : consumers;
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (dirname(path) !== folder) return undefined;
      const isMain = `(process.argv[1] === ${JSON.stringify(`consumers/${basename(path)}`)})`;
      return { loader: "ts", contents: (await Bun.file(path).text()).replaceAll("import.meta.main", isMain) };
    });
  },
};

await runCommand(help, async (words) => {
  const { outfile, start } = parseOptions(words, {
    outfile: { type: "string", default: "dist/warren" },
    start: { type: "boolean", default: false },
  });
  const generatedAt = Date.now();
  const generated = await runBun(projectFolder, [join(import.meta.dir, "generate.ts")], "inherit");
  if (generated !== 0) return generated;
  if (start) return buildStart(generatedAt);
  const workers = join(import.meta.dir, "../store/sqlite/commit");
  const built = await Bun.build({
    // A worker thread is found by its file name next to the program.
    entrypoints: [join(projectFolder, "src/executable.generated.ts"), join(workers, "commit-worker.ts")],
    root: workers,
    compile: { outfile: resolve(projectFolder, outfile) },
    minify: true,
    format: "esm",
    bytecode: true,
    // The page of the console. By default, this would follow NODE_ENV.
    jsx: { development: false },
    sourcemap: "linked",
    plugins: [mainConsumer],
    throw: false,
  });
  for (const message of built.logs) tell(String(message));
  if (!built.success) return 1;
  console.log(`Built ${outfile}`);
  return 0;
});
