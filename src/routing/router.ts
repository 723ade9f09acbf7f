import { join } from "node:path";
import type { TObject } from "@sinclair/typebox";
import { type AnyElysia, Elysia } from "elysia";
import type { Dependencies, Route } from "./route";
import { RouteClaims } from "./route-claims";

/** A file in `routes/` and the URL path at which it is mounted. */
export interface RouteFile {
  /** Path relative to the folder, such as `items.ts` or `admin/[id].ts`. */
  readonly file: string;
  /** URL path, such as `/items` or `/admin/:id`. */
  readonly path: string;
}

/** A route file with the route that it exports. */
export interface LoadedRoute extends RouteFile {
  readonly route: Route;
  /** True for a route that every service has. The file of a built-in route is not in `routes/`. */
  readonly isBuiltIn?: boolean;
}

/** Thrown for a mistake in the files in `routes/`. The message names the files and shows a correct example. */
export class RouterError extends Error {
  override readonly name = "RouterError";
}

/**
 * Finds the route files of a folder and returns them in mounting order. Folders nest. `index.ts` stands for its folder and
 * `[id].ts` for a parameter. Files and folders whose names start with `_` are ignored.
 *
 * @throws {RouterError} if two files have the same path, or a name cannot be part of a URL path.
 */
export function findRouteFiles(folder: string): RouteFile[] {
  const files = [...new Bun.Glob("**/*.{ts,tsx}").scanSync(folder)]
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !file.split("/").some((part) => part.startsWith("_")) && !file.endsWith(".d.ts"))
    .sort();
  const routes = files.map((file) => ({ file, path: pathOf(file) }));
  const taken = new Map<string, RouteFile>();
  for (const route of routes) {
    // Two paths that differ only in a parameter name are the same path.
    const shape = route.path.replaceAll(/:[^/]+/g, ":");
    const other = taken.get(shape);
    if (other) {
      throw new RouterError(
        `Two files have the same path: routes/${other.file} and routes/${route.file} both map to ${route.path}. ` +
          "Delete one of them, or start its name with _ to keep it from becoming a route.",
      );
    }
    taken.set(shape, route);
  }
  // Fixed names come before parameters, so that the order is the one in which routes match.
  return routes.sort((a, b) => compare(a.path.replaceAll(":", "~"), b.path.replaceAll(":", "~")));
}

/**
 * Loads the route files of a folder.
 *
 * @throws {RouterError} if a file cannot be loaded or does not export a route.
 */
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
 * @throws {RouterError} if a file does not build an Elysia instance, declares a route that another file has already, or needs a
 *   parameter that its path does not have.
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
    for (const route of placed.routes) refuseMissingParameter(`${route.method} ${route.path} of routes/${file}`, route);
    mounted.use(placed);
  }
  return mounted;
}

/** Throws if a route validates a path parameter that its path does not have. It would refuse every request. */
function refuseMissingParameter(what: string, { path, hooks }: AnyElysia["routes"][number]): void {
  const { required = [] } = Object((hooks as { params?: unknown } | undefined)?.params) as Partial<TObject>;
  const missing = required.find((name) => !new RegExp(`/:${RegExp.escape(name)}(\\?|/|$)`).test(path));
  if (missing) throw new RouterError(`${what} needs the path parameter :${missing}. Put the file into a folder named [${missing}].`);
}

async function load(folder: string, file: string): Promise<{ default?: unknown }> {
  try {
    return await import(join(folder, file));
  } catch (error) {
    // `Bun.inspect` also shows where in the file the error is.
    throw new RouterError(`Cannot load routes/${file}:\n\n${Bun.inspect(error)}`);
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
