// Runs the deep suite, or those of its files whose names contain one of the arguments, and says which file of how many it is at.
// With --parallel, it runs two files at a time, after those that need the machine for themselves.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { leftovers } from "../support/folder";

const root = join(import.meta.dir, "../..");
const { values, positionals: words } = parseArgs({ allowPositionals: true, options: { parallel: { type: "boolean" } } });
/** Maximum duration of a test whose file sets none, in milliseconds. */
const longestMs = 120_000;
/** Files that measure time, count the processes of the machine, or keep both cores busy themselves. */
const alone = ["attacks/open-files", "attacks/rate-limit", "real-chaos-acting", "real-chaos-cluster", "real-embedded", "real-foreign-lock"]
  .concat(["real-leftovers", "real-own-parts", "real-slow-clients", "real-telemetry-broken"])
  .map((name) => `tests/deep/${name}.deep.ts`);
/** How long each file took, so that the longest begin first. A file that it does not have is run all the same. */
const timings = "tests/deep/timings.json";
const kinds = ["pass", "skip", "fail"] as const;

const files = [...new Bun.Glob("tests/deep/**/*.deep.ts").scanSync({ cwd: root })]
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`No file in tests/deep has a name with ${words.join(" or ")}.`);
  process.exit(2);
}
const isAlone = (file: string) => alone.includes(file);
const parts = values.parallel ? [files.filter(isAlone), files.filter((file) => !isAlone(file))] : [files];

const begun = new Set<string>();
const totals = { pass: 0, skip: 0, fail: 0 };
/** Of each test that failed, the last lines before the one that says so. */
const failures: string[] = [];
const mostLinesOfFailure = 40;
let code = 0;
for (const part of parts) if (part.length > 0) code = (await runPart(part, part !== parts[0])) || code;
// Once more at the end, since whoever reads a long run has often only that.
if (failures.length > 0) console.error(`\nWhy tests failed:\n${failures.join("\n")}`);
// As a single run ends, for whoever reads the last counts.
if (parts.every((part) => part.length > 0) && parts.length > 1)
  console.error(`\nAltogether:\n${kinds.map((kind) => ` ${totals[kind]} ${kind}`).join("\n")}`);
process.exit(code);

/** Runs some files, one or two at a time. Resolves with the exit code. */
async function runPart(part: readonly string[], inParallel: boolean): Promise<number> {
  const options = [`--timeout=${longestMs}`, ...(inParallel ? ["--parallel=2", "--no-isolate", `--timings=${timings}`] : [])];
  const child = Bun.spawn([process.execPath, "test", ...options, ...part.map((file) => `./${file}`)], {
    cwd: root,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "pipe",
    env: { ...process.env, ...(process.stderr.isTTY && { FORCE_COLOR: "1" }) },
  });
  const withdraw = leftovers.runAtEnd(`kill -9 ${child.pid}`);
  const stop = () => child.kill("SIGTERM");
  // The child has been sent Ctrl+C, too, and ends.
  const stay = () => {};
  process.on("SIGINT", stay).on("SIGTERM", stop);
  const counts = { pass: 0, skip: 0, fail: 0 };
  let isSummary = false;
  let since: string[] = [];
  const write = (line: string) => {
    const plain = Bun.stripANSI(line);
    const [, count, kind] = /^ *(\d+) (pass|skip|fail)$/.exec(plain) ?? [];
    if (kind) counts[kind as keyof typeof counts] = Number(count);
    isSummary ||= /^\d+ tests? failed:$/.test(plain);
    since.push(line);
    if (plain.startsWith("(fail)") && !isSummary) failures.push(...since.slice(-mostLinesOfFailure));
    if (/^\((pass|fail|skip)\)/.test(plain)) since = [];
    process.stderr.write(`${numbered(line)}\n`);
  };
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of child.stderr) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) write(line);
  }
  process.stderr.write(rest);
  const ended = await child.exited;
  withdraw();
  process.off("SIGINT", stay).off("SIGTERM", stop);
  for (const kind of kinds) totals[kind] += counts[kind];
  // A signal ends all.
  if (child.signalCode || ended === 130) process.exit(ended);
  return ended;
}

/** Adds to the line with which bun test begins a file how far the run has come. Of two files at a time, each may begin several times. */
function numbered(line: string): string {
  const file = Bun.stripANSI(line).replace(/:$/, "");
  if (!files.includes(file) || begun.has(file)) return line;
  begun.add(file);
  return `[${begun.size} of ${files.length}] ${line}`;
}
