import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../../package.json";
import { libraryFolder } from "../../project/folder";
import { source } from "./code";

/** Returns the scripts with which a project runs the programs of the library, by the names that they have in a clone. */
function libraryScripts(): Record<string, string> {
  const programs = Object.entries(packageJson.scripts).flatMap(([name, script]) => {
    const [, program, words] = /^bun src\/commands\/([\w-]+)\.ts(.*)$/.exec(script) ?? [];
    return program === undefined ? [] : [[name, `warren ${program}${words}`]];
  });
  return { ...Object.fromEntries(programs), start: "warren start" };
}

/**
 * Returns the files of a project that has no files of its own yet.
 *
 * @param tarball Name of the library's package in `vendor/`.
 */
export function projectFiles(name: string, tarball: string): Record<string, string> {
  return {
    "package.json": json(manifest(name, tarball)),
    "tsconfig.json": json({ extends: "warren/tsconfig.json", include: ["src", "routes", "consumers", "tests"] }),
    "biome.json": readFileSync(join(libraryFolder, "biome.json"), "utf8"),
    "bunfig.toml": source(
      "[install]",
      "# The lock file decides; an update of a dependency is a commit.",
      "exact = true",
      "",
      "[test]",
      'root = "./tests"',
    ),
    Dockerfile: dockerfile(),
    ".dockerignore": source(
      "*",
      ...["package.json", "bun.lock", "bunfig.toml", "tsconfig.json", "vendor", "src", "routes", "consumers", "contracts"].map(
        (kept) => `!${kept}`,
      ),
    ),
    ".gitignore": source(
      "node_modules/",
      "data/",
      "dist/",
      "*.log",
      ".env",
      ".env.*",
      "!.env.example",
      "# Has secrets in it.",
      "webhooks.json",
    ),
    "README.md": readme(name),
  };
}

function manifest(name: string, tarball: string) {
  const { dependencies, devDependencies, packageManager, engines } = packageJson;
  return {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    packageManager,
    trustedDependencies: [],
    engines,
    scripts: {
      ...libraryScripts(),
      test: "bun test",
      check: "biome ci --error-on-warnings . && warren generate --check && warren contracts check && tsc",
      fix: "biome check --write .",
    },
    dependencies: {
      // One TypeBox and one Elysia for the library and the project.
      "@sinclair/typebox": dependencies["@sinclair/typebox"],
      elysia: dependencies.elysia,
      warren: `file:vendor/${tarball}`,
    },
    devDependencies: {
      "@biomejs/biome": devDependencies["@biomejs/biome"],
      "bun-types": devDependencies["bun-types"],
      typescript: devDependencies.typescript,
    },
  };
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;

/** Uses the images of the library's own Dockerfile, which are pinned by digest. */
function dockerfile(): string {
  const text = readFileSync(join(libraryFolder, "Dockerfile"), "utf8");
  const [build = "", base = ""] = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image = ""]) => image);
  return source(
    "# Images are pinned by digest. Bun is installed from npm, whose client verifies the download.",
    `FROM ${build} AS dependencies`,
    `RUN npm install -g ${packageJson.packageManager} --allow-scripts=bun`,
    "WORKDIR /app",
    "COPY package.json bun.lock bunfig.toml ./",
    "COPY vendor vendor",
    "RUN bun install --frozen-lockfile --production",
    "",
    `FROM ${base}`,
    "COPY --from=dependencies /usr/local/lib/node_modules/bun/bin/bun.exe /usr/local/bin/bun",
    "WORKDIR /app",
    "ENV NODE_ENV=production HOST=0.0.0.0 DATABASE_URL=sqlite:/data/warren.db",
    "COPY --from=dependencies /app/node_modules node_modules",
    "COPY package.json tsconfig.json bunfig.toml ./",
    ...["src", "routes", "consumers", "contracts"].map((folder) => `COPY ${folder} ${folder}`),
    "# What cannot be prepared starts from its sources; the output says why.",
    "RUN bun node_modules/warren/src/commands/build.ts --start || true",
    ...(text.slice(text.indexOf("RUN useradd")).split("# The exec form")[0]?.trimEnd().split("\n") ?? []),
    "# A consumer uses the same image with another command, which serves the health check above:",
    '# ["bun", "consumers/note-log.ts", "--health-port", "3000"].',
    'CMD ["bun", "node_modules/warren/src/start.ts"]',
  );
}

function readme(name: string): string {
  return source(
    `# ${name}`,
    "",
    "An HTTP API whose changes are events, on [Warren](node_modules/warren/docs/guide/package.md), which is a package in `vendor/`.",
    "",
    "```sh",
    "bun install",
    "bun run dev      # http://localhost:3000/swagger",
    "bun test",
    "bun run check    # formatting, generated modules, contracts, types",
    "```",
    "",
    "| file or folder | what it holds |",
    "| --- | --- |",
    "| `src/domain/` | resources, such as `note.ts` |",
    "| `routes/` | HTTP routes: the path of a file is the path of its URL |",
    "| `consumers/` | workers that get events: `bun run consumers/note-log.ts` |",
    "| `tests/` | tests of all three |",
    "| `contracts/` | the events that were published; `bun run contracts:update` records new ones |",
    "| `src/*.generated.ts` | written by `bun run generate`, and committed |",
    "| `data/` | the database, at run time |",
    "",
    "Add to it:",
    "",
    "```sh",
    "bun run new resource ticket title:string 'state:open|closed'",
    "bun run new action ticket close",
    "bun run new consumer reminders ticket.created",
    "```",
    "",
    "Delete `src/domain/note.ts`, `routes/notes.ts`, `consumers/note-log.ts` and their tests when you no longer need the example. As long as",
    "nothing was deployed, `bun run contracts:update --force` then takes its events out of `contracts/`.",
    "",
    "`bun run doctor` checks this machine, and `bun run status` shows the running system. Both and the other commands are described in",
    "`node_modules/warren/docs/`.",
    "",
    "## Deploy",
    "",
    "```sh",
    `docker build -t ${name} .`,
    `docker run -p 127.0.0.1:3000:3000 -v ${name}:/data -e API_TOKEN=generate ${name}`,
    "```",
    "",
    "Without Docker: `bun install --frozen-lockfile --production && bun run start`. With RabbitMQ, set `RABBITMQ_URL` for the API and each",
    "consumer.",
  );
}
