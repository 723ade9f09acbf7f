// Runs the deep suite, or those of its files whose names contain one of the arguments, and says which file of how many it is at.
// With --parallel, it runs two files at a time.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { leftovers } from "../support/folder";

const root = join(import.meta.dir, "../..");
const { values, positionals: words } = parseArgs({ allowPositionals: true, options: { parallel: { type: "boolean" } } });
/** Maximum duration of a test whose file sets none, in milliseconds. */
const longestMs = 120_000;
const files = [...new Bun.Glob("tests/deep/**/*.deep.ts").scanSync({ cwd: root })]
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No file in tests/deep has a name with ${words.join(" or ")}.`);
  process.exit(2);
}

const options = [`--timeout=${longestMs}`, ...(values.parallel ? ["--parallel=2", "--no-isolate"] : [])];
const child = Bun.spawn([process.execPath, "test", ...options, ...files.map((file) => `./${file}`)], {
  cwd: root,
  stdin: "inherit",
  stdout: "inherit",
  stderr: "pipe",
  env: { ...process.env, ...(process.stderr.isTTY && { FORCE_COLOR: "1" }) },
});
const withdraw = leftovers.runAtEnd(`kill -9 ${child.pid}`);
process.on("SIGINT", () => {}).on("SIGTERM", () => child.kill("SIGTERM"));

const begun = new Set<string>();
let rest = "";
const decoder = new TextDecoder();
for await (const chunk of child.stderr) {
  const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) process.stderr.write(`${numbered(line)}\n`);
}
process.stderr.write(rest);
const code = await child.exited;
withdraw();
process.exit(code);

/** Adds to the line with which bun test begins a file how far the run has come. Of two files at a time, each may begin several times. */
function numbered(line: string): string {
  const file = Bun.stripANSI(line).replace(/:$/, "");
  if (!files.includes(file) || begun.has(file)) return line;
  begun.add(file);
  return `[${begun.size} of ${files.length}] ${line}`;
}
