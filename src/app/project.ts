import { join } from "node:path";
import type { FoundConsumer } from "../docs/find-consumers";
import { projectFolder } from "../project/folder";
import { type LoadedRoute, loadRoutes } from "../routing/router";

/** The routes and consumers of a project. */
export interface Project {
  readonly routes: readonly LoadedRoute[];
  /** The consumers to show in the documentation. */
  readonly consumers: readonly FoundConsumer[];
}

/** Loads the files of `routes/` and the consumers that `bun run generate` found in `consumers/`. */
export async function loadProject(): Promise<Project> {
  return { routes: await loadRoutes(join(projectFolder, "routes")), consumers: await generatedConsumers() };
}

async function generatedConsumers(): Promise<readonly FoundConsumer[]> {
  const file = join(projectFolder, "src/consumers.generated.ts");
  if (!(await Bun.file(file).exists())) return [];
  return ((await import(file)) as { consumers: readonly FoundConsumer[] }).consumers;
}
