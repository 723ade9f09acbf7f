// The design's rules about imports, as a function of the files, so that a test can show that it fails.
import { posix } from "node:path";

export interface SourceFile {
  /** Path relative to the project, such as `src/store/store.ts`. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly specifier: string;
  /** The imported file without its extension, such as `src/store/store`. Undefined outside of the project. */
  readonly file: string | undefined;
  /** True if it imports types only. */
  readonly isOfTypes: boolean;
}

const maxLines = 250;

/** Layers of the folders in `src/`, from the top. A file may import from its own folder and from lower layers. */
export const floors: readonly (readonly string[])[] = [
  ["main"],
  ["app", "commands"],
  ["console"],
  ["engine", "crud", "docs", "webhook", "built-in"],
  ["consumer", "routing"],
  ["status"],
  ["rabbitmq", "embedded", "feed"],
  ["delivery", "http", "changing"],
  ["store"],
  ["timing"],
  ["observe"],
  ["project"],
  ["schema", "config"],
];

/** Folders that a project's own files may import, besides `warren/…`. */
const owned: Readonly<Record<string, readonly string[]>> = {
  routes: ["domain"],
  consumers: ["domain"],
  domain: [],
};

/** Returns every violation as a line that names the file. */
export function breaches(files: readonly SourceFile[]): string[] {
  const ofFiles = files.flatMap((file) => [...breachesOf(file)].map((what) => `${file.path} ${what}`));
  const ofFolders = circles(enginesByFolder(files)).map((circle) => `${circle} between folders of an engine`);
  return [...ofFiles, ...circles(importsByFile(files)), ...ofFolders];
}

export function importsOf({ path, text }: SourceFile): Import[] {
  // The formatter puts every import at the beginning of a line, which excludes imports in templates and comments.
  const statement = /^(?:import|export)\b(?:[^;'"`=]*?\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...text.matchAll(statement)].map(([whole, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? "";
    const file = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier).replace(/\.tsx?$/, "") : undefined;
    return { specifier, file, isOfTypes: /^(import|export) type\b/.test(whole) };
  });
}

/** Returns `routes`, `consumers`, or the folder in `src/`; `main` for a file directly in it. */
function placeOf(file: string): string {
  const [top = "", second = "", ...rest] = file.split("/");
  if (top !== "src") return top;
  return rest.length === 0 ? "main" : second;
}

const floorOf = new Map(floors.flatMap((folders, floor) => folders.map((folder) => [folder, floor] as const)));

/** Folders that hold an engine of the store each. Only `src/store/open.ts` imports them from outside. */
const engineFolder = /^src\/store\/(sqlite|postgres)\//;

function* breachesOf(file: SourceFile): Generator<string> {
  const place = placeOf(file.path);
  const isGenerated = file.path.endsWith(".generated.ts");
  if (!floorOf.has(place) && !(place in owned) && place !== "public") yield `is in a folder that the design does not know: src/${place}/`;
  for (const { specifier, file: target, isOfTypes } of importsOf(file)) {
    if (target === undefined) yield* foreign(file.path, place, specifier);
    else {
      if (page.test(file.path) && !page.test(target) && !isOfTypes)
        yield `imports ${target}: the console's page runs in a browser, and takes types only`;
      yield* engine(file.path, target);
      if (!isGenerated && !/\.(json|css|js|html)$/.test(specifier)) yield* inside(place, target);
    }
  }
  for (const [pattern, where, what] of words) if (pattern.test(file.text) && !where.test(file.path)) yield what;
  if (place === "routes" && connects.test(file.text)) yield "opens a connection: a route is handed what it needs";
  if (place !== "public" && (/^src\/(.*\/)?index\.ts$/.test(file.path) || isBarrel(file.text)))
    yield "is a barrel: import from the file itself";
  if (/(^|[-/])(manager|util|utils|helper|helpers|base|service|services|common)[-.]/.test(file.path)) yield "has a name that says nothing";
  const lines = file.text.trimEnd().split("\n").length;
  if (lines > maxLines && !isGenerated) yield `has ${lines} lines: at most ${maxLines}, one idea a file`;
}

/** The files that run in a browser. */
const page = /^src\/console\/page\//;

/** @param target A file of the project. */
function* engine(path: string, target: string): Generator<string> {
  const [folder] = engineFolder.exec(target) ?? [];
  if (folder && !path.startsWith(folder) && path !== "src/store/open.ts")
    yield `imports ${target}: only src/store/open.ts knows the engines of the store`;
}

/** @param target A file of the project. */
function* inside(place: string, target: string): Generator<string> {
  const other = placeOf(target);
  if (other === place || place === "public") return;
  const allowed = owned[place];
  if (allowed) {
    if (!allowed.includes(other)) yield `imports ${target}: files in ${place} import warren/… and ${allowed.join(", ") || "nothing else"}`;
  } else if (other in owned || other === "public") {
    yield `imports ${target}: the library never imports ${other === "public" ? "its public face" : "what users own"}`;
  } else if ((floorOf.get(other) ?? 0) <= (floorOf.get(place) ?? 0)) {
    yield `imports ${target}: ${place} stands on the floors below it, and ${other} is not on one`;
  }
}

/** Packages and platform modules that only one part may use. */
const owners: readonly [RegExp, RegExp, string][] = [
  [/^amqplib/, /^rabbitmq$/, "only src/rabbitmq/ knows amqplib"],
  [/^bun:sqlite$/, /^store$/, "only src/store/ knows SQL"],
  [/^(elysia|@elysiajs\/.*)$/, /^(main|app|built-in|console|crud|docs|feed|http|routing|routes)$/, "only what serves HTTP knows Elysia"],
  [/^pino/, /^observe$/, "only src/observe/ knows how logs are written"],
  [/^preact/, /^console$/, "only the console's page knows Preact"],
  [/^@opentelemetry\//, /^observe$/, "only src/observe/ knows how spans are made"],
];

function* foreign(path: string, place: string, specifier: string): Generator<string> {
  for (const [what, where, rule] of owners) if (what.test(specifier) && !where.test(place)) yield `imports ${specifier}: ${rule}`;
  if (specifier.startsWith("warren/") && floorOf.has(place) && !path.endsWith(".generated.ts"))
    yield `imports ${specifier}: the library never imports its public face`;
  if (place === "schema" && !/^(@sinclair\/typebox|ajv-formats)(\/|$)/.test(specifier))
    yield `imports ${specifier}: schema imports TypeBox and ajv-formats only`;
  if (place === "domain" && !/^(@sinclair\/typebox(\/|$)|warren\/)/.test(specifier))
    yield `imports ${specifier}: domain imports TypeBox and warren/… only`;
  if (place === "routes" && /^(node:)?(net|tls|http|https|http2|dgram)$/.test(specifier))
    yield `imports ${specifier}: a route is handed what it needs`;
}

const words: readonly [RegExp, RegExp, string][] = [
  [/\bdatabase\??\.file\b/, /^src\/(config|store)\//, "opens a database by its file: only src/store/ does"],
  // In quotes, it is a name for the bundler.
  [/(?<!")\b(process|Bun)\.env\b|\bimport\.meta\.env\b/, /^src\/(config\/|bin\.ts)/, "reads the environment: only src/config/ does"],
  [
    /\b(SELECT\b[^;"`]*\bFROM|INSERT (OR \w+ )?INTO|DELETE FROM|UPDATE "?[\w${}]+"? SET|CREATE (TABLE|INDEX)|PRAGMA \w+)\b/,
    // A consumer's own tables are exempt, since they are in none of the service's databases.
    /^(src\/store|consumers)\//,
    "holds SQL: only src/store/ knows it",
  ],
  [
    /\bDate\.now\(\)|\bnew Date\(\)/,
    // Tokens, signatures and the clocks of other machines are compared with the system's time. A command and a page run in a process of their own.
    /^(src\/(timing|observe|config|commands|console\/page)\/|src\/(http\/known-tokens|feed\/event-response|webhook\/deliver|store\/postgres\/inspect)|consumers|routes)/,
    "takes the time from the system: call now() of src/timing/clock.ts",
  ],
];

const connects =
  /\bBun\.(connect|listen|serve|udpSocket|SQL|sql|redis)\b|\bnew (SQL|Database|RedisClient|WebSocket)\(|\bopen(Sqlite)?Store\b/;

/** Returns whether a file only re-exports. */
function isBarrel(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = code.split(";").map((statement) => statement.trim());
  const passesOn = (statement: string) => /^export\b[^=(]*\bfrom\s*"/.test(statement);
  return (
    /^export \*/m.test(code) ||
    (statements.some(passesOn) && statements.every((statement) => statement === "" || /^import\b/.test(statement) || passesOn(statement)))
  );
}

/** Imports of each file, without its extension. */
function importsByFile(files: readonly SourceFile[]): Map<string, string[]> {
  const imports = new Map<string, string[]>();
  for (const file of files) {
    const targets = importsOf(file).flatMap(({ file: target }) => target ?? []);
    imports.set(file.path.replace(/\.tsx?$/, ""), targets);
  }
  return imports;
}

/** Imports of each folder of an engine. The files beside the folders put them together, so they may import any and be imported. */
function enginesByFolder(files: readonly SourceFile[]): Map<string, string[]> {
  const folderOf = (file: string) => /^src\/store\/(?:sqlite|postgres)\/[\w-]+(?=\/)/.exec(file)?.[0];
  const imports = new Map<string, string[]>();
  for (const [file, targets] of importsByFile(files)) {
    const folder = folderOf(file);
    if (folder === undefined) continue;
    const folders = targets.flatMap((target) => folderOf(target) ?? []).filter((target) => target !== folder);
    imports.set(folder, [...new Set([...(imports.get(folder) ?? []), ...folders])]);
  }
  return imports;
}

/** Returns each circle once. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) found.push(`${[...path.slice(start), name].join(" > ")} is a circle of imports`);
    if (start !== -1 || done.has(name)) return;
    for (const target of imports.get(name) ?? []) visit(target, [...path, name]);
    done.add(name);
  };
  for (const name of imports.keys()) visit(name, []);
  return found;
}
