// Output of the logger: its destination, and failures to write to it.
import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { testInFull } from "./support/in-full";
import { environment, root, run, send, startApi, startLogger } from "./support/processes";
import { useFolder } from "./support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const folder = useFolder();
let env: Record<string, string>;
beforeEach(() => {
  env = environment(folder.path);
});

const shell = (command: string) =>
  run(["-c", `set -o pipefail; ${process.execPath} --no-env-file consumers/logger.ts ${command}`], { env, program: "bash" });

testInFull("if its reader is gone, the logger ends, and the next one gets the event", async () => {
  const api = await startApi({ env });
  const piped = shell("| (head -n 1; exec <&-; echo gone)");
  await piped.line("gone");
  await send("POST", `${api.url}/items`, { name: "unread" });
  expect(await piped.exited).toBe(1);
  expect(piped.stderr.join("\n")).toContain("Cannot write to standard output");
  const next = await startLogger([], { env });
  await next.lines(/Name: unread/, 1);
});

test("when the disk is full, the logger ends, and the next one gets the event", async () => {
  const api = await startApi({ env });
  await send("POST", `${api.url}/items`, { name: "unwritten" });
  const full = shell("--json > /dev/full");
  expect(await full.exited).toBe(1);
  expect(full.stderr.join("\n")).toContain("Cannot write to standard output");
  const next = await startLogger([], { env });
  await next.lines(/Name: unwritten/, 1);
});

test("a name cannot break the line or paint the terminal, and --json has it as it is", async () => {
  const api = await startApi({ env });
  const logger = await startLogger([], { env });
  const json = await startLogger(["--json", "--queue", "raw"], { env });
  const name = "line\nbreak \u001b[31mred\u0007 \u202eevil \u2028 é 日本 😀";
  await send("POST", `${api.url}/items`, { name });
  const [line = ""] = await logger.lines(/^\[/, 1);
  expect(line).toContain("Name: line\\u000abreak \\u001b[31mred\\u0007 \\u202eevil \\u2028 é 日本 😀 at ");
  expect(logger.stdout).toHaveLength(2);
  const [event = ""] = await json.lines(/^\{/, 1);
  expect((JSON.parse(event) as { item: { name: string } }).item.name).toBe(name);
});

testInFull("colour is for a terminal", async () => {
  const api = await startApi({ env });
  await send("POST", `${api.url}/items`, { name: "Sample Item" });
  const shown: string[] = [];
  const seen = Promise.withResolvers<void>();
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, "--no-env-file", "consumers/logger.ts"], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", LOG_FORMAT: "json", ...env },
    terminal: {
      data(_, bytes) {
        shown.push(decoder.decode(bytes));
        if (shown.join("").includes("Sample Item")) seen.resolve();
      },
    },
  });
  try {
    await seen.promise;
    expect(shown.join("")).toContain("\x1b[32m[CREATED]\x1b[0m Item ID: 1, Name: Sample Item at ");
    child.terminal?.write("\x03");
    expect(await child.exited).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});
