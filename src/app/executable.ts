import { type PackageJson, provideAbout } from "../project/about";
import { provideResources } from "../project/resources";
import type { Resource } from "../schema/resource";
import type { Project } from "./project";
import { startApi } from "./serve";

/** Runs the API in an executable built by `bun run build`. The executable contains the project's files. */
export async function startExecutable({
  packageJson,
  resources,
  ...project
}: Project & { readonly packageJson: PackageJson; readonly resources: Readonly<Record<string, Resource>> }): Promise<void> {
  provideAbout(packageJson);
  provideResources(resources);
  await startApi(async () => project);
}
