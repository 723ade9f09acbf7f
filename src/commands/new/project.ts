import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { UsageError } from "../../observe/command-line";
import { libraryFolder } from "../../project/folder";
import { Trouble } from "../command";
import { runBun } from "../run-bun";
import { addFiles, completeFiles } from "./add-files";
import type { Added } from "./added";
import { consumerFiles } from "./consumer";
import { parseField } from "./fields";
import { projectFiles } from "./project-files";
import { resourceFiles } from "./resource";

/**
 * Creates a project with the library as a package in it, one resource and one consumer. Resolves with what to do next.
 *
 * @param words The folder, which must be new or empty. Its name becomes that of the project.
 * @throws {UsageError} for a name that is not possible.
 * @throws {Trouble} if the folder is not empty, or its packages cannot be installed.
 */
export async function newService([path, ...rest]: readonly string[]): Promise<Added["next"]> {
  if (path === undefined) throw new UsageError("Missing folder, such as: new service ../shop");
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".`);
  const folder = resolve(path);
  const name = basename(folder);
  if (!/^[a-z][a-z0-9-]{0,60}$/.test(name) || name === "warren") {
    throw new UsageError(`"${name}" cannot name a project. Use a folder with lower-case letters, digits and dashes, such as ../shop.`);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Trouble(`${folder} is not empty. Nothing was written.`);
  mkdirSync(join(folder, "vendor"), { recursive: true });
  if ((await runBun(libraryFolder, ["pm", "pack", "--quiet", "--destination", join(folder, "vendor")], "ignore")) !== 0)
    throw new Trouble(`Cannot pack the library in ${libraryFolder}. Run this there to see why: bun pm pack`);
  const [tarball = ""] = readdirSync(join(folder, "vendor"));
  const files = {
    ...projectFiles(name, tarball),
    ...resourceFiles("note", "notes", ["title:string", "text:text?"].map(parseField)).files,
    ...consumerFiles("note-log", ["note.created"], ["note.created"]).files,
  };
  await addFiles(folder, files);
  if ((await runBun(folder, ["install"], "inherit")) !== 0)
    throw new Trouble(`Cannot install the packages. Everything else is there; in ${folder}, run: bun install && bun run generate`);
  await completeFiles(folder, files, (program) => ["run", "warren", program]);
  return [
    [`cd ${relative(process.cwd(), folder) || "."}`, "README.md there says what each file is for"],
    ["bun run check && bun test", "formatting, types, contracts and tests"],
    ["bun run dev", "http://localhost:3000/swagger"],
    ["bun run new resource ticket title:string", "adds a resource of your own"],
  ];
}
