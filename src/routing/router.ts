import { join } from "node:path";
import { type AnyElysia, Elysia } from "elysia";
import type { Dependencies, Route } from "./route";
import { RouteClaims } from "./route-claims";

/** A file in `routes/`, and where it is mounted. */
export interface RouteFile {
  /** Relative to the folder: `items.ts`, `admin/[id].ts`. */
  readonly file: string;
  /** `/items`, `/admin/:id`. */
  readonly path: string;
}

export interface LoadedRoute extends RouteFile {
  readonly route: Route;
  /** A route that every service has; its file is not in `routes/`. */
  readonly isBuiltIn?: boolean;
}

/** Something is wrong with the files in `routes/`; the message names them and shows what would be right. */
export class RouterError extends Error {
  override readonly name = "RouterError";
}

/**
 * Finds the route files of a folder, in the order in which they are mounted. Folders nest; `index.ts` is its folder,
 * `[id].ts` a parameter; a name that begins with `_` is left out.
 *
 * @throws {RouterError} when two files have one path.
 */
export function findRouteFiles(folder: string): RouteFile[] {
  const files = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(folder)]
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !file.split("/").some((part) => part.startsWith("_")) && !file.endsWith(".d.ts"))
    .sort();
  const routes = files.map((file) => ({ file, path: pathOf(file) }));
  const taken = new Map<string, RouteFile>();
  for (const route of routes) {
    // The name of a parameter does not tell two paths apart.
    const shape = route.path.replaceAll(/:[^/]+/g, ":");
    const other = taken.get(shape);
    if (other) {
      throw new RouterError(
        `Two files for one path: routes/${other.file} and routes/${route.file} are both ${route.path}. ` +
          "Keep one of them, or begin the name of the other with _ to leave it out.",
      );
    }
    taken.set(shape, route);
  }
  // A fixed name before a parameter, so that the files of a folder read in the order in which they match.
  return routes.sort((a, b) => compare(a.path.replaceAll(":", "~"), b.path.replaceAll(":", "~")));
}

/** @throws {RouterError} for a file that cannot be loaded or does not export a route. */
export async function loadRoutes(folder: string): Promise<LoadedRoute[]> {
  const loaded: LoadedRoute[] = [];
  for (const found of findRouteFiles(folder)) {
    loaded.push({ ...found, route: asRoute(found.file, (await load(folder, found.file)).default) });
  }
  return loaded;
}

/**
 * Builds each route with the dependencies and mounts it at its path.
 *
 * @throws {RouterError} for a file that builds no route, or one that another file answers already.
 */
export function mountRoutes(routes: readonly LoadedRoute[], dependencies: Dependencies): AnyElysia {
  const mounted = new Elysia({ name: "routes" });
  const claims = new RouteClaims();
  for (const { file, path, route, isBuiltIn } of routes) {
    const app: unknown = route(dependencies);
    if (!(app instanceof Elysia)) throw wrongExport(file, `its default export returns ${describe(app)}, not an Elysia instance`);
    const placed = new Elysia({ prefix: path === "/" ? "" : path }).use(app);
    const conflict = claims.add(isBuiltIn ? `the built-in ${path}` : `routes/${file}`, placed.routes);
    if (conflict) throw new RouterError(conflict);
    mounted.use(placed);
  }
  return mounted;
}

async function load(folder: string, file: string): Promise<{ default?: unknown }> {
  try {
    return await import(join(folder, file));
  } catch (error) {
    // With the place, which the message alone does not have.
    throw new RouterError(`routes/${file} cannot be loaded:\n\n${Bun.inspect(error)}`);
  }
}

function asRoute(file: string, value: unknown): Route {
  if (typeof value === "function") return value as Route;
  throw wrongExport(file, value === undefined ? "it has no default export" : `its default export is ${describe(value)}, not a function`);
}

function wrongExport(file: string, mistake: string): RouterError {
  const path = pathOf(file);
  return new RouterError(`routes/${file} is not a route: ${mistake}. A route file looks like this:

  import { Elysia } from "elysia";
  import { defineRoute } from "warren/route";

  // GET ${path}
  export default defineRoute(() => new Elysia().get("", () => "Hello"));

To keep a file from becoming a route, start its name with _.`);
}

function pathOf(file: string): string {
  const parts = file.replace(/\.tsx?$/, "").split("/");
  if (parts.at(-1) === "index") parts.pop();
  for (const part of parts) {
    if (!/^(\[[A-Za-z]\w*\]|[A-Za-z0-9.~-][\w.~-]*)$/.test(part)) {
      throw new RouterError(
        `routes/${file}: "${part}" cannot be part of a URL path. Use letters, digits, dashes, dots and underscores, or [name] for a parameter, such as routes/items.ts or routes/items/[id].ts.`,
      );
    }
  }
  return `/${parts.map((part) => part.replace(/^\[(\w+)\]$/, ":$1")).join("/")}`;
}

function describe(value: unknown): string {
  if (value instanceof Elysia) return "an Elysia instance";
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? `an object (${value.constructor?.name ?? "no class"})` : `a ${typeof value}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
