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
    const transpiler = new Bun.Transpiler({ loader: "ts" });
    for (const file of files) {
      const found = importsOf(file).map(({ specifier }) => specifier);
      const missed = transpiler.scanImports(file.text).filter(({ path }) => !found.includes(path));
      expect([file.path, missed]).toEqual([file.path, []]);
    }
  });
});

describe("the rules can fail: on a planted file, each says what is wrong", () => {
  test.each([
    ["src/domain/order.ts", 'import { readFileSync } from "node:fs";', "imports node:fs: domain imports TypeBox and ajv-formats only"],
    ["src/domain/order.ts", 'import { z } from "zod";', "imports zod: domain imports TypeBox and ajv-formats only"],
    ["src/domain/order.ts", 'import type { Store } from "../store/store";', "imports src/store/store: domain may not import port"],
    ["src/store/postgres.ts", 'import { Relay } from "../delivery/relay";', "imports src/rabbitmq/relay: store may not import delivery"],
    ["src/store/postgres.ts", 'import { HttpProblem } from "../problem";', "imports src/http/problem: store may not import app"],
    [
      "src/store/store.ts",
      'import { Broker } from "../broker/connection";',
      "imports src/rabbitmq/connection: store may not import broker",
    ],
    [
      "src/rabbitmq/message.ts",
      'import { Signal } from "../delivery/signal";',
      "imports src/timing/signal: broker may not import delivery",
    ],
    [
      "src/rabbitmq/message.ts",
      'import { openSqliteStore } from "../store/sqlite";',
      "imports src/store/sqlite/store: broker may not import store",
    ],
    [
      "src/rabbitmq/message.ts",
      'export { item } from "../route";\nexport const a = 1;',
      "imports src/routing/route: broker may not import app",
    ],
    ["src/delivery/replay.ts", 'import { buildApp } from "../app";', "imports src/app/app: delivery may not import app"],
    ["src/delivery/replay.ts", 'const { connect } = await import("amqplib");', "imports amqplib: only src/broker/ knows amqplib"],
    ["src/delivery/inbox.ts", 'import { Database } from "bun:sqlite";', "imports bun:sqlite: only src/store/ knows SQL"],
    ["src/delivery/inbox.ts", 'db.run("DELETE FROM inbox WHERE id = ?", id);', "holds SQL: only src/store/ knows it"],
    ["src/delivery/inbox.ts", "sql`SELECT id\n  FROM inbox`;", "holds SQL: only src/store/ knows it"],
    ["src/delivery/replay.ts", 'import { Elysia } from "elysia";', "imports elysia: only the application and its routes know HTTP"],
    [
      "src/store/postgres.ts",
      'import { trace } from "@opentelemetry/api";',
      "imports @opentelemetry/api: only src/observe/ knows how spans are made",
    ],
    [
      "src/rabbitmq/relay.ts",
      'import { Counter } from "prom-client";',
      "imports prom-client: only src/observe/ knows how metrics are shown",
    ],
    ["src/app/serve.ts", 'import pino from "pino";', "imports pino: only src/observe/ knows how logs are written"],
    ["src/app/serve.ts", 'if (process.env["DEBUG"]) run();', "reads the environment: only src/config/config.ts does"],
    ["consumers/logger.ts", "const colour = Bun.env.NO_COLOR;", "reads the environment: only src/config/config.ts does"],
    ["src/app/serve.ts", 'import items from "../routes/items";', "imports routes/items: app may not import routes"],
    [
      "src/config/config.ts",
      'import { messageOf } from "./observe/logging";',
      "imports src/observe/logging: config may not import observe",
    ],
    [
      "routes/orders.ts",
      'import { Broker } from "../src/rabbitmq/connection";',
      "imports src/rabbitmq/connection: routes may not import broker",
    ],
    [
      "routes/orders.ts",
      'import { openSqliteStore } from "../src/store/sqlite/store";',
      "imports src/store/sqlite/store: routes may not import store",
    ],
    ["routes/orders.ts", "const socket = await Bun.connect({});", "opens a connection: a route is handed what it needs"],
    ["routes/orders.ts", 'import { connect } from "node:net";', "imports node:net: a route is handed what it needs"],
    [
      "consumers/audit.ts",
      'import { Broker } from "../src/rabbitmq/connection";',
      "imports src/rabbitmq/connection: consumers may not import broker",
    ],
    [
      "consumers/audit.ts",
      'import { readConfig } from "../src/config/config";',
      "imports src/config/config: consumers may not import config",
    ],
    ["consumers/audit.ts", 'import { formatEvent } from "../routes/items";', "imports routes/items: consumers may not import routes"],
    ["src/delivery/all.ts", 'export { Relay } from "./relay";\nexport * from "./signal";', "is a barrel: import from the file itself"],
    [
      "src/delivery/all.ts",
      '// All.\nimport "./signal";\nexport type { Relay } from "./relay";\n',
      "is a barrel: import from the file itself",
    ],
    ["src/delivery/index.ts", "export const a = 1;", "is a barrel: import from the file itself"],
    ["src/event-helper.ts", "export const a = 1;", "has a name that says nothing"],
    ["src/delivery/utils.ts", "export const a = 1;", "has a name that says nothing"],
    ["src/plugins/cache.ts", "export const a = 1;", "is in a folder that the design does not know: src/plugins/"],
    ["src/long.ts", "export const a = 1;\n".repeat(251), "has 251 lines: at most 250, one idea a file"],
  ])("%s: %j", (path, text, breach) => {
    expect(breaches([{ path, text }])).toContain(`${path} ${breach}`);
  });

  test("a breach that spans lines is found", () => {
    const text = 'import {\n  type Relay,\n  Signal,\n} from "../delivery/relay";\n';
    expect(breaches([{ path: "src/store/postgres.ts", text }])).toEqual([
      "src/store/postgres.ts imports src/rabbitmq/relay: store may not import delivery",
    ]);
  });

  test("what the design allows is no breach", () => {
    const allowed: SourceFile[] = [
      {
        path: "src/domain/order.ts",
        text: 'import { Type } from "@sinclair/typebox";\nimport { defineResource } from "warren/resource";\n',
      },
      { path: "src/store/postgres.ts", text: 'import type { Store } from "./store";\nconst sql = "SELECT id FROM events";\n' },
      { path: "src/rabbitmq/message.ts", text: 'import { connect } from "amqplib";\nimport type { LogEntry } from "../store/store";\n' },
      {
        path: "routes/orders.ts",
        text: 'import { Elysia } from "elysia";\nimport { crud } from "warren/crud";\nimport type { Store } from "../src/store/store";\n',
      },
      {
        path: "consumers/audit.ts",
        text: 'import { parseArgs } from "node:util";\nimport { runConsumer } from "warren/consumer";\n',
      },
      {
        path: "src/app/app.ts",
        text: 'export type { App } from "./routes.generated";\nexport const a = `\n  import { z } from "pino";\n`;\n',
      },
      { path: "routes/index.ts", text: "export default () => {};\n" },
      { path: "src/long.ts", text: "export const a = 1;\n".repeat(250) },
    ];
    expect(breaches(allowed)).toEqual([]);
  });
});
