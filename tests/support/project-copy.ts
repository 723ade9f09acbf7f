import { cpSync, readdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { temporaryFolder } from "./folder";
import { root } from "./processes";

/** Creates a copy of the project's program that a test may change. It uses this project's packages. */
export function copyProject() {
  return copyOf(["src", "routes", "consumers", "contracts", "package.json", "tsconfig.json", "bunfig.toml"]);
}

// The last: what `bun run setup` packs into an example.
const notProject = new Set(["node_modules", ".git", "data", "dist", "coverage", "vendor"]);

/** Creates a copy of the whole project, including its tests and other checked files. */
export function copyWholeProject() {
  return copyOf(readdirSync(root));
}

function copyOf(names: readonly string[]): { path: string; remove(): void } {
  const copy = temporaryFolder();
  const filter = (path: string) => !notProject.has(basename(path));
  for (const name of names) cpSync(join(root, name), join(copy.path, name), { recursive: true, filter });
  symlinkSync(join(root, "node_modules"), join(copy.path, "node_modules"));
  return copy;
}
