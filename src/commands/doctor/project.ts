import { join } from "node:path";
import { projectFolder } from "../../project/folder";
import { type Finding, failure, ok } from "./finding";

const commands = join(import.meta.dir, "..");

/** Checks that the generated modules and the recorded contracts are those of the files of the project. */
export async function checkProject(): Promise<Finding[]> {
  return Promise.all([
    check("generated", ["generate.ts", "--check"], "the modules are up to date", "Run: bun run generate"),
    check("contracts", ["contracts.ts", "check"], "contracts/events.json is up to date", "Run: bun run contracts:check"),
  ]);
}

/** Runs one of the commands, since the files of the project may end the process or print as they are loaded. */
async function check(name: string, [file = "", ...words]: readonly string[], fine: string, todo: string): Promise<Finding> {
  const child = Bun.spawn([process.execPath, join(commands, file), ...words], {
    cwd: projectFolder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [code, output] = await Promise.all([child.exited, child.stderr.text()]);
  if (code === 0) return ok(name, fine);
  return failure(name, essenceOf(output) || `exited with ${code}`, todo);
}

/** Returns the line of the output that says what is wrong: that of an error in a file of the project, else the first. */
function essenceOf(output: string): string {
  const lines = output.trim().split("\n");
  return lines.find((line) => /^(\w*Error|error): /.test(line)) ?? lines[0] ?? "";
}
