import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../support/processes";
import { copyProject } from "../support/project-copy";

/** A bug in a copy of the program: a text of one of its files that is replaced. */
export interface Bug {
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

/** Files that let a program die at a chosen point, and that plant bugs. */
const loaded = [
  "tests/support/dies-before-ack.ts",
  "tests/support/planted",
  ...["crash", "crash-before-ack", "crash-in-changes"].map((name) => `tests/chaos/programs/${name}.ts`),
];

/**
 * Creates a copy of the program with the resources, routes and consumers of a suite.
 *
 * @param folder these files.
 * @throws {Error} if the text of a bug is not in its file exactly once.
 */
export function chaosProject(folder: string, bugs: readonly Bug[] = []): { path: string; remove(): void } {
  const copy = copyProject();
  cpSync(folder, copy.path, { recursive: true });
  for (const file of loaded) {
    mkdirSync(dirname(join(copy.path, file)), { recursive: true });
    cpSync(join(root, file), join(copy.path, file), { recursive: true });
  }
  for (const { file, text, replacement } of bugs) {
    const parts = readFileSync(join(copy.path, file), "utf8").split(text);
    if (parts.length !== 2) throw new Error(`${file} has this text ${parts.length - 1} times: ${text}`);
    writeFileSync(join(copy.path, file), parts.join(replacement));
  }
  return copy;
}
