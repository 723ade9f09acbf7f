import { join } from "node:path";
import { Catalogue } from "../schema/catalogue";
import type { Resource } from "../schema/resource";
import { projectFolder } from "./folder";

/** A resource and where it was found. */
export interface FoundResource {
  /** Name of the file, without its folder. */
  readonly file: string;
  readonly exportName: string;
  readonly resource: Resource;
}

/** Loaded only once, since the files do not change while a program runs. */
let loaded: Promise<Catalogue> | undefined;

/** Resolves with a catalogue of the resources exported by the files in `src/domain/`, or of those from {@link provideResources}. */
export function loadCatalogue(): Promise<Catalogue> {
  loaded ??= findResources(join(projectFolder, "src/domain")).then((found) => new Catalogue(found.map(({ resource }) => resource)));
  return loaded;
}

/** Sets the resources of an executable, which has no `src/domain/` folder. Call it before {@link loadCatalogue}. */
export function provideResources(resources: Readonly<Record<string, Resource>>): void {
  loaded = Promise.resolve(new Catalogue(Object.values(resources)));
}

/** Resolves with the resources exported by the files directly in a folder, sorted by file name. */
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
