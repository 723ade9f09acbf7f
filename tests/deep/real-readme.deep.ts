// The commands and programs in the README and in docs/ work as shown.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { deadEvents, deadQueueInFile } from "../support/dead-letters";
import { type Block, docBlocks, fileOf } from "../support/doc-pages";
import { temporaryFolder } from "../support/folder";
import { isOwn, type OpenApi, operationsOf } from "../support/openapi";
import { type Api, endAll, environment, run, send, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";

setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
let copy: ReturnType<typeof temporaryFolder> | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await endAll();
  copy?.remove();
  copy = undefined;
  folder.remove();
});

/** Runs shell commands, each of which must succeed. Returns their output. */
async function bash(script: string): Promise<string> {
  const shell = run(["-c", script], { program: "bash", cwd: folder.path });
  expect([await shell.exited, shell.stderr]).toEqual([0, []]);
  return shell.stdout.join("\n");
}

/** Stands for the ETag of the answer before. */
const shownEtag = '"1-8ks2p1"';

/** The commands of a block that are curl's. */
function curlCommands({ text }: Block): string[] {
  return text.replaceAll("\\\n", " ").match(/^curl .*$/gm) ?? [];
}

const blocks = docBlocks("sh").filter((block) => curlCommands(block).some((command) => command.includes("localhost:3000")));

const withCurl = Bun.which("curl") || process.env["NO_SKIP"] ? test : test.skip;

withCurl("every example with curl is answered as it says, and every route of Warren has one", async () => {
  const shown = new Set<string>();
  const left = [...blocks];
  const checkAll = async () => {
    for (let block = left.shift(); block; block = left.shift()) for (const name of await operationsShown(block)) shown.add(name);
  };
  const [api] = await Promise.all([startApi({ env: environment(folder.path) }), checkAll(), checkAll()]);
  const names = operationsOf(await documentOf(api)).filter(isOwn);
  expect(names.flatMap(({ name }) => (shown.has(name) ? [] : [name]))).toEqual([]);
});

const documentOf = async ({ url }: Api) => (await (await fetch(`${url}/swagger/json`)).json()) as OpenApi;

/** Runs a block by itself, before a service with an item, and one queue that has dead letters. Resolves with the operations it shows. */
async function operationsShown(block: Block): Promise<string[]> {
  const data = join(folder.path, `${block.page.replace(/\W/g, "-")}-${block.line}`);
  mkdirSync(join(data, "data", "consumers"), { recursive: true });
  await deadQueueInFile(() => data).fill("audit", deadEvents(2));
  const api = await startApi({ env: environment(data) });
  const operations = operationsOf(await documentOf(api));
  const shown: string[] = [];
  await send("POST", `${api.url}/items`, { name: "Sample Item" });
  let id = "";
  let etag = "";
  for (const command of curlCommands(block)) {
    // curl itself, to this service, which says at the end what it has asked for and what came. A stream (-N) is left after a second.
    const real = `command curl -sS -w '\\n%{method} %{url_effective} %{http_code}' "\${@//localhost:3000/${api.url.slice(7)}}"`;
    const curl = command.includes(" -N ") ? `curl() { ${real} --max-time 1 2>/dev/null || [ $? = 28 ]; }` : `curl() { ${real}; }`;
    const given = command.replace("/ID", `/${id}`).replace(shownEtag, etag || shownEtag);
    const [, body = "", method, url = "", status] = /^([\s\S]*)\n(\S+) (\S+) (\d+)$/.exec(await bash(`${curl}; ${given}`)) ?? [];
    const expected = / # (\d{3})\b/.exec(command)?.[1] ?? (/^\s*$/.test(body) ? "204" : "2..");
    expect([command, status]).toEqual([command, expect.stringMatching(new RegExp(`^${expected}$`))]);
    etag = /^etag: (\S+)/im.exec(body)?.[1] ?? etag;
    id = /"id":"([^"]+)"/.exec(body)?.[1] ?? id;
    const { pathname } = new URL(url);
    const operation = operations.find((one) => one.method === method && matches(one.path, pathname));
    expect([command, operation?.name]).toEqual([command, expect.any(String)]);
    shown.push(operation?.name ?? "");
  }
  expect(await api.stop()).toBe(0);
  return shown;
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`).test(path);
}

test("every example in TypeScript compiles, and the client runs", async () => {
  copy = copyProject();
  const { path } = copy;
  const config = (await Bun.file(join(path, "tsconfig.json")).json()) as { include: string[] };
  await Bun.write(join(path, "tsconfig.json"), JSON.stringify({ ...config, include: [...config.include, "*.ts"] }));
  const files = docBlocks("ts").map((block) => ({
    file: fileOf(block),
    text: block.text,
    place: `${block.page.replace(/\W/g, "-")}-${block.line}`,
  }));
  for (const [index, { file, text, place }] of files.entries()) {
    // An earlier version of a file stands beside the later one.
    const isEarlier = files.findIndex((other) => other.file === file && other !== files[index]) > index;
    await Bun.write(join(path, isEarlier ? file.replace(/\.ts$/, `-${place}.ts`) : file), text);
  }
  const bun = async (...args: string[]) => {
    const command = run(args, { cwd: path });
    expect([await command.exited, [...command.stdout, ...command.stderr].join("\n")]).toEqual([0, expect.any(String)]);
    return command.stdout;
  };
  await bun("src/commands/generate.ts");
  await bun("node_modules/typescript/bin/tsc");

  const api = await startApi({ env: environment(folder.path) });
  const client = await Bun.file(join(path, "client.ts")).text();
  await Bun.write(join(path, "client.ts"), client.replace("localhost:3000", api.url));
  expect(await bun("client.ts")).toEqual(['[ "Sample Item: 8.99" ]']);
});
