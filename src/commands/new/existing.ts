import { join } from "node:path";
import { UsageError } from "../../observe/command-line";
import { projectFolder } from "../../project/folder";
import { findResources } from "../../project/resources";
import { findRouteFiles } from "../../routing/router";
import type { Resource } from "../../schema/resource";
import { fileOf } from "./names";

/** A resource of the project. */
export interface ExistingResource {
  readonly resource: Resource;
  /** The constant that its file exports. */
  readonly constant: string;
  /** Name of its file in `src/domain/`, without the extension. */
  readonly file: string;
}

export async function existingResources(): Promise<ExistingResource[]> {
  const found = await findResources(join(projectFolder, "src/domain"));
  return found.map(({ resource, exportName, file }) => ({ resource, constant: exportName, file: file.replace(/\.ts$/, "") }));
}

/** @throws {UsageError} if the project does not have the resource. The message lists those that it has. */
export function existingResource(existing: readonly ExistingResource[], name: string): ExistingResource {
  const found = existing.find(({ resource }) => resource.name === name);
  if (found) return found;
  const known = existing.map(({ resource }) => resource.name).join(", ") || "none";
  throw new UsageError(`There is no resource "${name}" in src/domain/. Known: ${known}.`);
}

/**
 * Returns the path at which a resource is mounted: that of the file in `routes/` that has its plural as its name.
 *
 * @throws {UsageError} if there is no such file.
 */
export function routeOf({ resource: { name, plural } }: ExistingResource): string {
  const end = `/${fileOf(plural)}`;
  const routes = findRouteFiles(join(projectFolder, "routes")).filter(({ path }) => path.endsWith(end) && !path.includes(":"));
  const [route] = routes.sort((a, b) => a.path.length - b.path.length);
  if (route) return route.path;
  throw new UsageError(`No file in routes/ mounts "${name}". Add routes${end}.ts.`);
}
