import { existsSync } from "node:fs";
import { join } from "node:path";
import { Trouble } from "../command";
import { runBun } from "../run-bun";

/**
 * Writes new files into a project.
 *
 * @throws {Trouble} if one of them exists. Then nothing is written.
 */
export async function addFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const names = Object.keys(files);
  const existing = names.filter((name) => existsSync(join(folder, name)));
  if (existing.length > 0)
    throw new Trouble(`${existing.join(" and ")} ${existing.length > 1 ? "exist" : "exists"} already. Nothing was written.`);
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text);
  console.log(names.map((name) => `Wrote ${name}`).join("\n"));
}

/**
 * Formats new files as the project does, and brings what is generated from them up to date.
 *
 * @param program Returns the arguments with which Bun runs a program of this library for the project.
 * @throws {Trouble} if that fails.
 */
export async function completeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  program: (name: string) => readonly string[],
): Promise<void> {
  if (existsSync(join(folder, "node_modules/@biomejs/biome")))
    await runBun(folder, ["x", "biome", "check", "--write", ...Object.keys(files)], "ignore");
  for (const [name, ...words] of [["generate"], ["contracts", "update"]] as const) {
    const code = await runBun(folder, [...program(name), ...words], "inherit");
    if (code !== 0)
      throw new Trouble(`The new files are there. Correct what is shown above, then run: bun run ${[name, ...words].join(":")}`);
  }
}
