import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const transpilers = {
  ts: new Bun.Transpiler({ loader: "ts" }),
  tsx: new Bun.Transpiler({ loader: "tsx" }),
};

/**
 * Returns the files that a program consists of: itself and what it imports, directly or not, without packages. Of a file with a syntax
 * error, the imports are unknown.
 *
 * @param main absolute path.
 * @param known the imports of files that were read before and have not changed since. Files that are read now are added.
 */
export function importedFiles(main: string, known: Map<string, readonly string[]>): Set<string> {
  const files = new Set([main]);
  // The loop also visits what it adds.
  for (const file of files) {
    const imports = known.get(file) ?? importsOf(file);
    known.set(file, imports);
    for (const imported of imports) files.add(imported);
  }
  return files;
}

function importsOf(file: string): string[] {
  const [, jsx] = /\.[cm]?[jt]s(x)?$/.exec(file) ?? [];
  if (!/\.[cm]?[jt]sx?$/.test(file) || !existsSync(file)) return [];
  try {
    const imports = transpilers[jsx ? "tsx" : "ts"].scanImports(readFileSync(file, "utf8"));
    return imports.flatMap(({ path }) => resolve(path, dirname(file)) ?? []);
  } catch {
    return [];
  }
}

/** Returns the file that an import names, or undefined for a package, a module of Bun, and a file that does not exist. */
function resolve(specifier: string, folder: string): string | undefined {
  try {
    const file = Bun.resolveSync(specifier, folder);
    return file.startsWith("/") && !file.includes("/node_modules/") ? file : undefined;
  } catch {
    return undefined;
  }
}
