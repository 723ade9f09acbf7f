import { provideResources } from "../project/resources";
import type { Resource } from "../schema/resource";
import type { Project } from "./project";
import { startApi } from "./serve";

/** Runs the API in an executable made by `bun run build`, which carries the project's files in itself. */
export async function startExecutable({
  resources,
  ...project
}: Project & { readonly resources: Readonly<Record<string, Resource>> }): Promise<void> {
  provideResources(resources);
  await startApi(async () => project);
}
