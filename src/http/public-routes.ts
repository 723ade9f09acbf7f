import { PathPatterns } from "./path-patterns";

/** A route as stored by Elysia. */
interface Route {
  readonly method: string;
  readonly path: string;
  readonly hooks: { readonly detail?: { readonly security?: readonly unknown[] } };
}

/**
 * Returns a function that returns whether a request needs no token, because the route that it reaches declares `security: []` in its
 * `detail`, as OpenAPI does. Only a `GET` can be public.
 *
 * @param routes returns all routes. Called on first use, when the application is complete.
 */
export function publicRoutes(routes: () => readonly Route[]): (method: string, path: string) => boolean {
  let known: { readonly patterns: PathPatterns; readonly open: ReadonlySet<string> } | undefined;
  return (method, path) => {
    if (method !== "GET" && method !== "HEAD") return false;
    if (!known) {
      const reads = routes().filter((route) => route.method === "GET");
      const open = reads.filter(({ hooks }) => hooks.detail?.security?.length === 0).map((route) => route.path);
      known = { patterns: new PathPatterns(reads.map((route) => route.path)), open: new Set(open) };
    }
    // The pattern that the router would choose: a route of its own below a public one is not public.
    return known.open.size > 0 && known.open.has(known.patterns.of(`http://host${path}`) ?? "");
  };
}
