import { builtInRoutes } from "../built-in/routes";
import type { LoadedRoute } from "../routing/router";

/** Adds the built-in routes, except those whose path a project's file has. */
export function withBuiltInRoutes(routes: readonly LoadedRoute[]): LoadedRoute[] {
  const taken = new Set(routes.map(({ path }) => path));
  const builtIn = Object.entries(builtInRoutes).filter(([path]) => !taken.has(path));
  return [...builtIn.map(([path, route]) => ({ file: path, path, route, isBuiltIn: true })), ...routes];
}
