// Stopping real processes, when it is easy and when it is not.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Api, endAll, environment, eventually, run, send, startApi, startLogger } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(90_000);

const sample = { name: "Sample Item", price: 9.99 };
/** Time that Docker and others give a process before they kill it. */
const graceMs = 10_000;

const folder = useFolder();
let env: Record<string, string>;
beforeEach(() => {
  env = environment(folder.path);
});

/** Begins a request and never finishes it. Resolves when the server handles it. */
async function holdRequest({ url }: Api): Promise<void> {
  const { hostname, port } = new URL(url);
  const continued = Promise.withResolvers<void>();
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.write(
          "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n{",
        );
      },
      data: () => continued.resolve(),
    },
  });
  await continued.promise;
}

async function timed<T>(work: Promise<T>): Promise<[result: T, ms: number]> {
  const started = performance.now();
  return [await work, performance.now() - started];
}

describe("a second signal", () => {
  for (const [first, second] of [
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGTERM"],
  ] as const) {
    test(`of another kind ends the API at once: ${second} after ${first}`, async () => {
      const api = await startApi({ env });
      await holdRequest(api);
      void api.stop(first);
      await api.line("Stopping; a second signal exits immediately");
      const [code, ms] = await timed(api.stop(second));
      expect(code).toBe(130);
      expect(ms).toBeLessThan(2000);
    });
  }

  test("of the same kind does, too", async () => {
    const api = await startApi({ env });
    await holdRequest(api);
    void api.stop("SIGTERM");
    await api.line("Stopping; a second signal exits immediately");
    const ended = Promise.race([api.exited, Bun.sleep(2000)]);
    const repeat = setInterval(() => void api.stop("SIGTERM"), 50);
    expect(await ended).toBe(130);
    clearInterval(repeat);
  });

  test("ends a consumer whose handler is still at work", async () => {
    const copy = copyProject();
    try {
      await Bun.write(
        join(copy.path, "consumers/slow.ts"),
        `import { runConsumer } from "warren/consumer";
await runConsumer({ queue: "slow", handle: () => (console.log("begun"), Bun.sleep(60_000)) });
`,
      );
      const api = await startApi({ env });
      await send("POST", `${api.url}/items`, sample);
      const slow = run(["consumers/slow.ts"], { cwd: copy.path, env });
      await slow.line("begun");
      void slow.stop("SIGTERM");
      await slow.line("Stopping; a second signal exits immediately", "stderr");
      const [code, ms] = await timed(slow.stop("SIGINT"));
      expect(code).toBe(130);
      expect(ms).toBeLessThan(2000);
    } finally {
      copy.remove();
    }
  });
});

test("Ctrl+C under `bun run`, which passes on what the terminal has sent already, is one signal", async () => {
  const copy = copyProject();
  const shown: string[] = [];
  const decoder = new TextDecoder();
  const child = Bun.spawn([process.execPath, "run", "start"], {
    cwd: copy.path,
    env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", LOG_FORMAT: "json", ...env },
    terminal: { data: (_, bytes) => void shown.push(decoder.decode(bytes)) },
  });
  try {
    const address = await eventually(() => /listens on (http:\/\/127[^ ]+) /.exec(shown.join(""))?.[1], "the address");
    await holdRequest({ url: address } as Api);
    child.terminal?.write("\x03");
    expect([await child.exited, shown.join("")]).toEqual([0, expect.stringContaining('"msg":"Stopped"')]);
  } finally {
    child.kill("SIGKILL");
    copy.remove();
  }
});

test("a response that streams without end does not keep the API from stopping", async () => {
  const copy = copyProject();
  try {
    await Bun.write(
      join(copy.path, "routes/stream.ts"),
      `import { Elysia } from "elysia";
import { defineRoute } from "warren/route";

const stream = () => new ReadableStream({ start: (controller) => void controller.enqueue("first\\n") });
export default defineRoute(() => new Elysia().get("", () => new Response(stream())));
`,
    );
    const api = await startApi({ cwd: copy.path, env });
    const body = (await fetch(`${api.url}/stream`)).body?.getReader();
    expect(new TextDecoder().decode((await body?.read())?.value as Uint8Array)).toBe("first\n");
    const [code, ms] = await timed(api.stop());
    expect([code, ms < graceMs]).toEqual([0, true]);
  } finally {
    copy.remove();
  }
});

/** Stops a logger in the middle of a stream of events and restarts it. Returns the ids that were created and the output of each run. */
async function restartLogger(signal: NodeJS.Signals): Promise<{ created: number; first: number[]; second: number[] }> {
  const api = await startApi({ env });
  const first = await startLogger(["--json"], { env });
  let created = 0;
  let writing = true;
  const create = async () => {
    expect((await send("POST", `${api.url}/items`, sample)).status).toBe(201);
    created += 1;
  };
  const writers = Array.from({ length: 8 }, async () => {
    while (writing) await create();
  });
  await first.lines(/item\.created/, 100);
  expect(await first.stop(signal)).toBe(0);
  writing = false;
  await Promise.all(writers);
  await create();
  const second = await startLogger(["--json"], { env });
  await eventually(() => (first.stdout.length + second.stdout.length >= created ? true : undefined), `${created} events`);
  expect(await second.stop(signal)).toBe(0);
  const ids = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { item: { id: number } }).item.id);
  return { created, first: ids(first.stdout), second: ids(second.stdout) };
}

/** No gap, nothing twice, and something for each. */
function expectSeamless({ created, first, second }: Awaited<ReturnType<typeof restartLogger>>): void {
  expect([...first, ...second]).toEqual(Array.from({ length: created }, (_, index) => index + 1));
  expect([first.length >= 100, second.length >= 1]).toEqual([true, true]);
}

describe("a logger that is stopped in the middle exits with 0, and the next one goes on behind its last event", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`without a broker, by ${signal}`, async () => {
      expectSeamless(await restartLogger(signal));
    });
  }
});

describeWithRabbit("with RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  beforeEach(() => {
    env = environment(folder.path, rabbit().url);
  });
  afterEach(async () => {
    await endAll();
    await rabbit().thaw();
    await emptyBroker(rabbit());
  });

  test("a logger that is stopped by SIGTERM in the middle exits with 0, and the next one goes on behind its last event", async () => {
    expectSeamless(await restartLogger("SIGTERM"));
  });

  /** Stops API and logger while the broker is in trouble, then lets a new pair do what was left over. */
  async function stopWhile(trouble: () => Promise<void>, over: () => Promise<void>) {
    const api = await startApi({ env });
    const logger = await startLogger(["--json"], { env });
    await api.line("Connected to RabbitMQ");
    await send("POST", `${api.url}/items`, sample);
    await logger.lines(/item\.created/, 1);
    await trouble();
    for (let n = 0; n < 20; n += 1) expect((await send("POST", `${api.url}/items`, sample)).status).toBe(201);
    const stops = await Promise.all([timed(api.stop("SIGTERM")), timed(logger.stop("SIGTERM"))]);
    await over();
    await startApi({ env });
    const next = await startLogger(["--json"], { env });
    const seen = () => [...logger.stdout, ...next.stdout].map((line) => (JSON.parse(line) as { item: { id: number } }).item.id);
    await eventually(() => (new Set(seen()).size === 21 ? true : undefined), "every event");
    return { api: stops[0], logger: stops[1] };
  }

  test("which was killed: API and logger stop by SIGTERM within ten seconds, with 0, and no event is lost", async () => {
    const stops = await stopWhile(rabbit().kill, rabbit().start);
    for (const [code, ms] of [stops.api, stops.logger]) expect([code, ms < graceMs]).toEqual([0, true]);
  });

  test("which has stopped answering: both stop within ten seconds, and no event is lost", async () => {
    const stops = await stopWhile(rabbit().freeze, rabbit().thaw);
    expect([stops.api[0], stops.api[1] < graceMs, stops.logger[1] < graceMs]).toEqual([0, true, true]);
  });
});
