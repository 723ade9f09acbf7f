/**
 * Answers which methods a path knows, in the order of the alphabet; none: there is nothing at that path.
 *
 * @param routes all of them; asked for when the first path is, when the application is whole.
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

/** The paths that the router takes for this one: a slash at the end does not matter to it. */
function patternOf(path: string): RegExp {
  const parts = path.split("/").filter(Boolean);
  const pattern = parts.map((part) => (part === "*" ? "/.*" : part.startsWith(":") ? "/[^/]+" : `/${RegExp.escape(part)}`)).join("");
  return new RegExp(`^${pattern}/?$`);
}
