import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder";
import { root } from "./processes";

/** Creates a project with these files, on the sources and packages of this one. */
export async function projectWith(files: Readonly<Record<string, string>>): Promise<{ path: string; remove(): void }> {
  const folder = temporaryFolder();
  for (const shared of ["src", "node_modules", "tsconfig.json"]) symlinkSync(join(root, shared), join(folder.path, shared));
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder.path, name), text);
  return folder;
}
