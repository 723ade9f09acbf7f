import { join } from "node:path";
import { Catalogue } from "../schema/catalogue";
import type { Resource } from "../schema/resource";
import { projectFolder } from "./folder";

export interface FoundResource {
  readonly file: string;
  readonly exportName: string;
  readonly resource: Resource;
}

/** The files of a folder do not change while a program runs. */
let loaded: Promise<Catalogue> | undefined;

/** Returns the catalogue of the resources that the files of `src/domain/` export. */
export function loadCatalogue(): Promise<Catalogue> {
  loaded ??= findResources(join(projectFolder, "src/domain")).then((found) => new Catalogue(found.map(({ resource }) => resource)));
  return loaded;
}

/** Gives an executable, which has no folder to look into, its resources. To be called before {@link loadCatalogue}. */
export function provideResources(resources: Readonly<Record<string, Resource>>): void {
  loaded = Promise.resolve(new Catalogue(Object.values(resources)));
}

/** Finds the resources that the files directly in a folder export, in the order of the files' names. */
export async function findResources(folder: string): Promise<FoundResource[]> {
  const found: FoundResource[] = [];
  for (const file of [...new Bun.Glob("*.ts").scanSync(folder)].sort()) {
    const exports = (await import(join(folder, file))) as Record<string, unknown>;
    for (const [exportName, value] of Object.entries(exports)) {
      if (isResource(value)) found.push({ file, exportName, resource: value });
    }
  }
  return found;
}

function isResource(value: unknown): value is Resource {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "warren.resource";
}
