import { join } from "node:path";
import { parseOptions, runCommand } from "../observe/command-line";
import { projectFolder } from "../project/folder";
import { runBun } from "./run-bun";

const help = `Builds the API as one executable, which needs neither Bun nor this folder. Consumers still run from source.

  bun run build

Options:
  --outfile FILE   output file; default dist/warren
  --help           print this help`;

await runCommand(help, async (words) => {
  const { outfile } = parseOptions(words, { outfile: { type: "string", default: "dist/warren" } });
  const generated = await runBun(projectFolder, [join(import.meta.dir, "generate.ts")], "inherit");
  if (generated !== 0) return generated;
  const workers = join(import.meta.dir, "../store/sqlite/commit");
  // A worker thread is found by its file name next to the program.
  const programs = ["--root", workers, join(projectFolder, "src/executable.generated.ts"), join(workers, "commit-worker.ts")];
  return runBun(projectFolder, ["build", "--compile", "--minify", "--sourcemap", ...programs, "--outfile", outfile], "inherit");
});
