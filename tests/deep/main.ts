// Runs the deep suite, or those of its files whose names contain one of the arguments, and says which file of how many it is at.
import { join } from "node:path";
import { leftovers } from "../support/folder";

const root = join(import.meta.dir, "../..");
const words = process.argv.slice(2);
const files = [...new Bun.Glob("tests/deep/**/*.deep.ts").scanSync({ cwd: root })]
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No file in tests/deep has a name with ${words.join(" or ")}.`);
  process.exit(2);
}

const child = Bun.spawn([process.execPath, "test", ...files.map((file) => `./${file}`)], {
  cwd: root,
  stdin: "inherit",
  stdout: "inherit",
  stderr: "pipe",
  env: { ...process.env, ...(process.stderr.isTTY && { FORCE_COLOR: "1" }) },
});
const withdraw = leftovers.runAtEnd(`kill -9 ${child.pid}`);
process.on("SIGINT", () => {}).on("SIGTERM", () => child.kill("SIGTERM"));

let begun = 0;
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

/** Adds to the line with which bun test begins a file how far the run has come. */
function numbered(line: string): string {
  if (!files.some((file) => Bun.stripANSI(line) === `${file}:`)) return line;
  begun += 1;
  return `[${begun} of ${files.length}] ${line}`;
}
