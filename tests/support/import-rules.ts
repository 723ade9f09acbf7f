// The rules of the design about which file may import what, as a function of the files: so that it can be shown to fail.
import { posix } from "node:path";

export interface SourceFile {
  /** Relative to the project: `src/store/sqlite.ts`. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly specifier: string;
  /** The file that it means, when that is in the project: `src/store/store`. */
  readonly file: string | undefined;
}

const maxLines = 250;

/** Every breach of a rule, as a line that names the file. */
export function breaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...breachesOf(file)].map((what) => `${file.path} ${what}`));
}

export function importsOf({ path, text }: SourceFile): Import[] {
  // The formatter puts every import at the beginning of a line; one within a template or comment is not.
  const statement = /^(?:import|export)\b(?:[^;'"`=]*?\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...text.matchAll(statement)].map(([, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? "";
    const file = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier).replace(/\.tsx?$/, "") : undefined;
    return { specifier, file };
  });
}

/** The parts of the project, and of which others each may import. */
const layers: Record<string, readonly string[]> = {
  // Who may open a file with secrets: the same for the service's files and a consumer's.
  secrets: [],
  config: ["secrets"],
  domain: [],
  observe: ["config", "domain"],
  store: ["config", "domain", "observe"],
  broker: ["config", "domain", "observe", "port"],
  delivery: ["config", "secrets", "domain", "observe", "store", "port", "broker"],
  commands: ["config", "secrets", "domain", "observe", "store", "port", "broker", "delivery"],
  app: ["config", "domain", "observe", "store", "port", "broker", "delivery"],
  routes: ["app", "domain", "observe", "port", "delivery"],
  // The consumer runtime is part of delivery; how things are shown at a terminal is part of observe.
  consumers: ["delivery", "domain", "observe", "secrets"],
};

function layerOf(file: string): string {
  const [top = "", second = ""] = file.split("/");
  if (top !== "src") return top;
  if (/^src\/store\/store(\.ts)?$/.test(file)) return "port";
  if (/^src\/config\/secret-file/.test(file)) return "secrets";
  if (/^src\/(tracing-)?config(\.ts)?$/.test(file)) return "config";
  // The parts of src/app.ts, of src/resource.ts, and of the documentation that both serve.
  if (["http", "crud", "docs"].includes(second)) return "app";
  return file.split("/").length > 2 ? second : "app";
}

function* breachesOf(file: SourceFile): Generator<string> {
  const layer = layerOf(file.path);
  const mine = layer === "port" ? "store" : layer;
  if (!(mine in layers)) yield `is in a folder that the design does not know: src/${layer}/`;
  const may = (other: string) => other === mine || (mine === "store" && other === "port") || layers[mine]?.includes(other);
  for (const { specifier, file: target } of importsOf(file)) {
    if (target === undefined) yield* foreign(file.path, mine, specifier);
    else if (file.path.endsWith(".generated.ts")) continue;
    else if (!may(layerOf(target)) && !/\.(json|css|js)$/.test(specifier))
      yield `imports ${target}: ${mine} may not import ${layerOf(target)}`;
  }
  for (const [pattern, where, what] of words) if (pattern.test(file.text) && !where.test(file.path)) yield what;
  if (mine === "routes" && connects.test(file.text)) yield "opens a connection: a route is handed what it needs";
  if (/^src\/(.*\/)?index\.ts$/.test(file.path) || isBarrel(file.text)) yield "is a barrel: import from the file itself";
  if (/(^|[-/])(manager|util|utils|helper|helpers|base|service|services|common)[-.]/.test(file.path)) yield "has a name that says nothing";
  const lines = file.text.trimEnd().split("\n").length;
  if (lines > maxLines && !file.path.endsWith(".generated.ts")) yield `has ${lines} lines: at most ${maxLines}, one idea a file`;
}

/** Packages and modules of the platform that belong to one part. */
const owners: readonly [RegExp, RegExp, string][] = [
  [/^amqplib/, /^broker$/, "only src/broker/ knows amqplib"],
  [/^bun:sqlite$/, /^store$/, "only src/store/ knows SQL"],
  [/^(elysia|@elysiajs\/.*)$/, /^(app|routes)$/, "only the application and its routes know HTTP"],
  [/^pino/, /^observe$/, "only src/observe/ knows how logs are written"],
  [/^prom-client$/, /^observe$/, "only src/observe/ knows how metrics are shown"],
  [/^@opentelemetry\//, /^observe$/, "only src/observe/ knows how spans are made"],
];

function* foreign(path: string, layer: string, specifier: string): Generator<string> {
  for (const [what, where, rule] of owners) if (what.test(specifier) && !where.test(layer)) yield `imports ${specifier}: ${rule}`;
  if (layer === "domain" && !/^(@sinclair\/typebox|ajv-formats)(\/|$)/.test(specifier))
    yield `imports ${specifier}: domain imports TypeBox and ajv-formats only`;
  if (path.startsWith("routes/") && /^(node:)?(net|tls|http|https|http2|dgram)$/.test(specifier))
    yield `imports ${specifier}: a route is handed what it needs`;
}

const words: readonly [RegExp, RegExp, string][] = [
  [/\b(process|Bun)\.env\b|\bimport\.meta\.env\b/, /^src\/config\.ts$/, "reads the environment: only src/config.ts does"],
  [
    /\b(SELECT\b[^;"`]*\bFROM|INSERT (OR \w+ )?INTO|DELETE FROM|UPDATE "?[\w${}]+"? SET|CREATE (TABLE|INDEX)|PRAGMA \w+)\b/,
    // A consumer's own tables are its own affair: they are in no database of the service.
    /^(src\/store|consumers)\//,
    "holds SQL: only src/store/ knows it",
  ],
];

const connects = /\bBun\.(connect|listen|serve|udpSocket|SQL|sql|redis)\b|\bnew (SQL|Database|RedisClient|WebSocket)\(|\bopenSqliteStore\b/;

/** Whether a file does nothing but pass on what others export. */
function isBarrel(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = code.split(";").map((statement) => statement.trim());
  const passesOn = (statement: string) => /^export\b[^=(]*\bfrom\s*"/.test(statement);
  return (
    /^export \*/m.test(code) ||
    (statements.some(passesOn) && statements.every((statement) => statement === "" || /^import\b/.test(statement) || passesOn(statement)))
  );
}
