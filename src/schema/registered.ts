import type { Resource } from "./resource";

declare global {
  /** Types of a project's resources by name. `bun run generate` fills it, so that the library need not import them. */
  interface WarrenResources {}
}

/** The project's resources by name. */
export type Resources = { [Name in keyof WarrenResources]: Extract<WarrenResources[Name], Resource> };
