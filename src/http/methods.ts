/**
 * Returns a function that lists the methods of a path in alphabetical order. The list is empty if the path does not exist.
 *
 * @param routes returns all routes. Called on first use, when the application is complete.
 */
export function methodsByPath(routes: () => readonly { readonly method: string; readonly path: string }[]): (path: string) => string[] {
  let known: { method: string; pattern: RegExp }[] | undefined;
  return (path) => {
    known ??= routes().map(({ method, path }) => ({ method, pattern: patternOf(path) }));
    const found = new Set(known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (found.size === 0) return [];
    if (found.delete("ALL")) for (const method of ["DELETE", "GET", "PATCH", "POST", "PUT"]) found.add(method);
    if (found.has("GET")) found.add("HEAD");
    return [...found.add("OPTIONS")].sort();
  };
}

/** Returns a pattern for the URL paths that the router maps to this route. It ignores a trailing slash. */
function patternOf(path: string): RegExp {
  const parts = path.split("/").filter(Boolean);
  const pattern = parts.map((part) => (part === "*" ? "/.*" : part.startsWith(":") ? "/[^/]+" : `/${RegExp.escape(part)}`)).join("");
  return new RegExp(`^${pattern}/?$`);
}
