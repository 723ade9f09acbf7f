import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder";
import { root } from "./processes";

/** A copy of the project, on this one's packages, that a test may change. */
export function copyProject(): { path: string; remove(): void } {
  const copy = temporaryFolder();
  for (const name of ["src", "routes", "consumers", "contracts", "package.json", "tsconfig.json", "bunfig.toml"]) {
    cpSync(join(root, name), join(copy.path, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy.path, "node_modules"));
  return copy;
}
