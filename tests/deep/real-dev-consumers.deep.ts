// `bun run dev --consumers`: everything in one terminal, or in one pipe, with a consumer that is not an example.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/net";
import { endAll, endWithTest, environment, eventually, type Running, run, send } from "../support/processes";
import { copyProject } from "../support/project-copy";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(90_000);

const consumer = `import { existsSync } from "node:fs";
import { runConsumer } from "warren/consumer";
import { word } from "./text/word";

await runConsumer({
  queue: "doors",
  events: ["item.created"],
  onReady: () => console.log(\`ready \${process.pid}\`),
  async handle({ item }) {
    if (item.name === "crash") process.exit(3);
    console.log(\`begins \${item.name}\`);
    while (item.name === "slow" && !existsSync("released")) await Bun.sleep(10);
    console.log(\`\${word} \${item.name}\`);
  },
});
`;

let copy: ReturnType<typeof copyProject>;
let url: string;
let env: Record<string, string>;
beforeEach(async () => {
  copy = copyProject();
  rmSync(join(copy.path, "consumers"), { recursive: true });
  const port = freePort();
  url = `http://127.0.0.1:${port}`;
  env = { ...environment(copy.path), PORT: String(port) };
  await write("consumers/text/word.ts", 'export const word = "opened";\n');
  await write("consumers/doors.ts", consumer);
});
afterEach(async () => {
  await endAll();
  copy.remove();
});

const write = (name: string, text: string) => Bun.write(join(copy.path, name), text);
const create = (name: string) => send("POST", `${url}/items`, { name });

const pidIn = (line: string) => Number(/ready (\d+)/.exec(line)?.[1]);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when neither the consumer nor the API runs. */
async function nothingIsLeft(consumerPid: number): Promise<void> {
  await eventually(() => !isRunning(consumerPid) || undefined, "the end of the consumer");
  await eventually(async () => (await fetch(`${url}/health/live`).catch(() => undefined)) === undefined || undefined, "the end of the API");
}

describe("in a pipe", () => {
  let dev: Running;
  let pid: number;
  beforeEach(async () => {
    dev = run(["run", "dev", "--consumers"], { cwd: copy.path, env });
    await Promise.all([dev.line("Warren listens on"), dev.line(/^doors \| ready/)]);
    pid = pidIn(await dev.line(/^doors \| ready/));
  });
  const restarts = async (count: number) => pidIn((await dev.lines(/^doors \| ready/, count)).at(-1) ?? "");

  test("each line names its program, and lines of JSON stay lines of JSON", async () => {
    await create("front");
    await dev.line("doors | opened front");
    const logged = (line: string) => (line.startsWith("{") ? [(JSON.parse(line) as { program: string }).program] : []);
    expect([new Set(dev.stdout.flatMap(logged)), new Set(dev.stderr.flatMap(logged))]).toEqual([new Set(["api"]), new Set(["doors"])]);
    expect(dev.stdout.join("")).not.toContain("\x1b");
  });

  test("a consumer restarts when its file, a file that it imports or a resource changes, and the API only for the last", async () => {
    await write("consumers/text/word.ts", 'export const word = "shut";\n');
    await restarts(2);
    await create("front");
    await dev.line("doors | shut front");
    await write("consumers/doors.ts", `${consumer}\n`);
    await restarts(3);
    expect(dev.stdout.filter((line) => line.includes("Warren listens on"))).toHaveLength(1);
    await write("src/domain/item.ts", `${await Bun.file(join(copy.path, "src/domain/item.ts")).text()}\n`);
    await Promise.all([restarts(4), dev.lines(/Warren listens on/, 2)]);
  });

  test("a consumer whose file is added starts, and one whose file is removed ends", async () => {
    await write("consumers/gates.ts", consumer.replaceAll("doors", "gates"));
    const gates = pidIn(await dev.line(/^gates \| ready/));
    rmSync(join(copy.path, "consumers/gates.ts"));
    await eventually(() => !isRunning(gates) || undefined, "the end of the removed consumer");
    expect(isRunning(pid)).toBe(true);
  });

  test("the documentation of the events has the consumers as they are now", async () => {
    const documented = async () => {
      const answer = await fetch(`${url}/asyncapi.json`).catch(() => undefined);
      const { operations = {} } = ((await answer?.json()) ?? {}) as { operations?: Record<string, object> };
      return Object.keys(operations).filter((key) => key.startsWith("consume."));
    };
    expect(await documented()).toEqual(["consume.doors"]);
    await write("consumers/windows.ts", consumer.replace('"doors"', '"windows"'));
    const become = (keys: string[], what: string) => eventually(async () => Bun.deepEquals(await documented(), keys), what);
    await become(["consume.doors", "consume.windows"], "the new consumer in the documentation");
    rmSync(join(copy.path, "consumers/windows.ts"));
    await become(["consume.doors"], "the documentation without it");
  });

  test("a consumer that crashes says so and starts again, after a longer pause each time", async () => {
    await create("crash");
    await dev.line("doors | The consumer ended with code 3; starting again in 1 s.", "stderr");
    await dev.line("doors | The consumer ended with code 3; starting again in 2 s.", "stderr");
    await write("consumers/doors.ts", consumer.replace("process.exit(3)", "return"));
    await create("front");
    await dev.line("doors | opened front");
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal}: consumers finish their events, then the API stops`, async () => {
      await create("slow");
      await dev.line("doors | begins slow");
      process.kill(dev.pid, signal);
      await dev.line('"msg":"Stopping; a second signal', "stderr");
      expect((await create("while it stops")).status).toBe(201);
      await write("released", "");
      expect(await dev.exited).toBe(0);
      const [handled, stopped] = ["doors | opened slow", '"msg":"Stopped"'].map((text) =>
        dev.stdout.findIndex((line) => line.includes(text)),
      );
      expect(handled).toBeGreaterThan(-1);
      expect(stopped).toBeGreaterThan(handled as number);
      await nothingIsLeft(pid);
    });
  }

  test("a second signal ends everything at once", async () => {
    await create("slow");
    await dev.line("doors | begins slow");
    process.kill(dev.pid, "SIGINT");
    await dev.line('"msg":"Stopping; a second signal', "stderr");
    expect(await dev.stop("SIGTERM")).toBe(130);
    await nothingIsLeft(pid);
  });

  test("if it is killed, nothing is left running", async () => {
    await dev.stop("SIGKILL");
    await nothingIsLeft(pid);
  });
});

describe("in a terminal", () => {
  /** Starts it in a pseudo-terminal of 100 columns. */
  async function start() {
    let shown = "";
    let wake = () => {};
    const decoder = new TextDecoder();
    const dev = Bun.spawn([process.execPath, "--no-env-file", "src/commands/dev.ts", "--consumers"], {
      cwd: copy.path,
      env: { PATH: process.env["PATH"] ?? "", HOME: copy.path, TZ: "UTC", ...env },
      terminal: {
        cols: 100,
        data(_, bytes) {
          shown += decoder.decode(bytes, { stream: true });
          wake();
        },
      },
    });
    endWithTest(dev);
    const seen = async (text: string) => {
      for (;;) {
        const found = shown.split("\n").find((line) => line.includes(text));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    await seen("Warren listens on");
    const pid = pidIn(await seen("ready "));
    return { dev, seen, pid, shown: () => shown };
  }

  test("names are coloured, logs are for people, and Ctrl+C stops everything", async () => {
    const { dev, seen, pid, shown } = await start();
    await create("slow");
    expect(await seen("begins slow")).toBe("\x1b[33mdoors |\x1b[0m begins slow\r");
    expect(await seen("Warren listens on")).toStartWith("\x1b[36mapi   |\x1b[0m ");
    expect(shown()).not.toContain('{"');
    dev.terminal?.write("\x03");
    await seen("Stopping; a second signal");
    await write("released", "");
    expect(await dev.exited).toBe(0);
    expect(shown()).toContain("opened slow");
    await nothingIsLeft(pid);
  });

  test("if the terminal is closed or the program killed, nothing is left running", async () => {
    for (const end of ["close", "kill"] as const) {
      const { dev, pid } = await start();
      if (end === "close") dev.terminal?.close();
      else dev.kill("SIGKILL");
      await dev.exited;
      await nothingIsLeft(pid);
    }
  });
});
