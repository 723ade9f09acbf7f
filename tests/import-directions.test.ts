// The layout of the design: imports run one way, and each outside thing is known in one place only.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { breaches, importsOf, type SourceFile } from "./support/import-rules";
import { root } from "./support/processes";

async function projectFiles(): Promise<SourceFile[]> {
  const paths = ["src", "routes", "consumers"].flatMap((folder) =>
    [...new Bun.Glob("**/*.{ts,tsx}").scanSync(join(root, folder))].map((file) => `${folder}/${file}`),
  );
  return Promise.all(paths.sort().map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() })));
}

describe("the project", () => {
  test("breaks none of the rules", async () => {
    expect(breaches(await projectFiles())).toEqual([]);
  });

  test("is read as a whole: every import that Bun finds is found", async () => {
    const files = await projectFiles();
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["src/main.ts", "src/schema/event.ts", "src/store/sqlite/store.ts", "routes/items.ts", "consumers/logger.ts"]),
    );
    for (const file of files) {
      const transpiler = new Bun.Transpiler({ loader: file.path.endsWith("x") ? "tsx" : "ts" });
      const found = importsOf(file).map(({ specifier }) => specifier);
      // What the compiler adds for JSX is in no file.
      const missed = transpiler
        .scanImports(file.text.replace(/^#!.*/, ""))
        .filter(({ path }) => !found.includes(path) && !/^react$|jsx-(dev-)?runtime$/.test(path));
      expect([file.path, missed]).toEqual([file.path, []]);
    }
  });
});

describe("the rules can fail: on a planted file, each says what is wrong", () => {
  test.each([
    ["src/domain/order.ts", 'import { readFileSync } from "node:fs";', "imports node:fs: domain imports TypeBox and warren/… only"],
    [
      "src/domain/order.ts",
      'import type { Store } from "../store/store";',
      "imports src/store/store: files in domain import warren/… and nothing else",
    ],
    ["src/schema/event.ts", 'import { readFileSync } from "node:fs";', "imports node:fs: schema imports TypeBox and ajv-formats only"],
    [
      "src/store/postgres/store.ts",
      'import { Relay } from "../../rabbitmq/relay";',
      "imports src/rabbitmq/relay: store stands on the floors below it, and rabbitmq is not on one",
    ],
    [
      "src/rabbitmq/message.ts",
      'import { consumeLog } from "../embedded/start";',
      "imports src/embedded/start: rabbitmq stands on the floors below it, and embedded is not on one",
    ],
    [
      "src/rabbitmq/message.ts",
      'export { route } from "../routing/route";\nexport const a = 1;',
      "imports src/routing/route: rabbitmq stands on the floors below it, and routing is not on one",
    ],
    [
      "src/engine/engine.ts",
      'import { openSqliteStore } from "../store/sqlite/store";',
      "imports src/store/sqlite/store: only src/store/open.ts knows the engines of the store",
    ],
    [
      "src/store/store.ts",
      'import { Pool } from "./postgres/pool";',
      "imports src/store/postgres/pool: only src/store/open.ts knows the engines of the store",
    ],
    [
      "src/store/postgres/store.ts",
      'import { hasMoved } from "../sqlite/moved";',
      "imports src/store/sqlite/moved: only src/store/open.ts knows the engines of the store",
    ],
    ["src/engine/engine.ts", "open(config.database.file);", "opens a database by its file: only src/store/ does"],
    ["src/app/serve.ts", 'import items from "../../routes/items";', "imports routes/items: the library never imports what users own"],
    ["src/app/serve.ts", 'import { crud } from "../public/crud";', "imports src/public/crud: the library never imports its public face"],
    ["src/app/serve.ts", 'import { crud } from "warren/crud";', "imports warren/crud: the library never imports its public face"],
    ["src/delivery/replay.ts", 'const { connect } = await import("amqplib");', "imports amqplib: only src/rabbitmq/ knows amqplib"],
    ["src/delivery/inbox.ts", 'import { Database } from "bun:sqlite";', "imports bun:sqlite: only src/store/ knows SQL"],
    ["src/delivery/inbox.ts", "sql`SELECT id\n  FROM inbox`;", "holds SQL: only src/store/ knows it"],
    ["src/delivery/inbox.ts", "const at = Date.now();", "takes the time from the system: call now() of src/timing/clock.ts"],
    ["src/delivery/replay.ts", 'import { Elysia } from "elysia";', "imports elysia: only what serves HTTP knows Elysia"],
    [
      "src/store/postgres/store.ts",
      'import { trace } from "@opentelemetry/api";',
      "imports @opentelemetry/api: only src/observe/ knows how spans are made",
    ],
    ["src/app/serve.ts", 'import pino from "pino";', "imports pino: only src/observe/ knows how logs are written"],
    ["src/app/serve.ts", 'if (process.env["DEBUG"]) run();', "reads the environment: only src/config/ does"],
    [
      "routes/orders.ts",
      'import { Broker } from "../src/rabbitmq/connection";',
      "imports src/rabbitmq/connection: files in routes import warren/… and domain",
    ],
    ["routes/orders.ts", "const socket = await Bun.connect({});", "opens a connection: a route is handed what it needs"],
    ["routes/orders.ts", 'import { connect } from "node:net";', "imports node:net: a route is handed what it needs"],
    ["src/delivery/all.ts", 'export { Relay } from "./relay";\nexport * from "./signal";', "is a barrel: import from the file itself"],
    ["src/delivery/index.ts", "export const a = 1;", "is a barrel: import from the file itself"],
    ["src/delivery/utils.ts", "export const a = 1;", "has a name that says nothing"],
    [
      "src/console/page/app.tsx",
      'import { now } from "../../timing/clock";',
      "imports src/timing/clock: the console's page runs in a browser, and takes types only",
    ],
    ["src/plugins/cache.ts", "export const a = 1;", "is in a folder that the design does not know: src/plugins/"],
    ["src/long.ts", "export const a = 1;\n".repeat(251), "has 251 lines: at most 250, one idea a file"],
  ])("%s: %j", (path, text, breach) => {
    expect(breaches([{ path, text }])).toContain(`${path} ${breach}`);
  });

  test("a breach that spans lines is found", () => {
    const text = 'import {\n  type Relay,\n  Signal,\n} from "../rabbitmq/relay";\n';
    expect(breaches([{ path: "src/store/postgres.ts", text }])).toEqual([
      "src/store/postgres.ts imports src/rabbitmq/relay: store stands on the floors below it, and rabbitmq is not on one",
    ]);
  });

  test("a circle of imports is found, and reported once", () => {
    const file = (path: string, ...targets: string[]) => ({ path, text: targets.map((target) => `import "./${target}";\n`).join("") });
    const files = [file("src/store/a.ts", "b"), file("src/store/b.ts", "c", "d"), file("src/store/c.ts", "a"), file("src/store/d.ts")];
    expect(breaches(files)).toEqual(["src/store/a > src/store/b > src/store/c > src/store/a is a circle of imports"]);
  });

  test("a circle of an engine's folders is found", () => {
    const file = (path: string, target: string) => ({ path: `src/store/postgres/${path}.ts`, text: `import "${target}";\n` });
    const files = [
      file("log/reader", "../lists/pages"),
      file("lists/pages", "./way"),
      file("lists/way", "../log/scan"),
      file("log/scan", "../store"),
    ];
    expect(breaches(files)).toEqual([
      "src/store/postgres/log > src/store/postgres/lists > src/store/postgres/log is a circle of imports between folders of an engine",
    ]);
  });
});
