import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./processes";
import { copyWholeProject } from "./project-copy";

/** Creates a copy of this project with the resources, routes and consumers of examples/shop instead of its own. */
export async function copyWithShop(): Promise<ReturnType<typeof copyWholeProject>> {
  const copy = copyWholeProject();
  const shop = join(root, "examples/shop");
  for (const folder of ["src/domain", "routes", "consumers"]) {
    rmSync(join(copy.path, folder), { recursive: true });
    cpSync(join(shop, folder), join(copy.path, folder), { recursive: true });
  }
  for (const file of readdirSync(join(shop, "src"), { withFileTypes: true })) {
    if (file.isFile() && !file.name.includes(".generated.")) cpSync(join(shop, "src", file.name), join(copy.path, "src", file.name));
  }
  if ((await run(["src/commands/generate.ts"], { cwd: copy.path }).exited) !== 0)
    throw new Error("Cannot generate the modules of the shop.");
  return copy;
}
