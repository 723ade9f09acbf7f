// Invariant 7: broken telemetry never breaks delivery.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { endAll, environment, eventually, type Running, run, send } from "../support/processes";
import { projectWith } from "../support/project";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

/** Logs much, fails each event once, and prints what it has handled. */
const consumer = `import { runConsumer } from "warren/consumer";

await runConsumer({
  queue: "shop",
  retry: { attempts: 2, firstDelayMs: 1, longestDelayMs: 1 },
  breaker: { minimum: 1_000_000 },
  handle: ({ item }, { attempt, log }) => {
    log.info({ pad: "x".repeat(500) }, "Handling");
    if (attempt === 1) throw new Error("not yet");
    console.log(\`handled \${item.id}\`);
  },
  onReady: () => console.log("Receives events"),
});
`;

const events = 200;
const tracing = { OTEL_BSP_SCHEDULE_DELAY: "1", OTEL_BSP_MAX_QUEUE_SIZE: "64" };

let folder: ReturnType<typeof temporaryFolder>;
let project: ReturnType<typeof temporaryFolder>;
let close: (() => void)[];
beforeEach(async () => {
  folder = temporaryFolder();
  project = await projectWith({ "consumers/shop.ts": consumer });
  close = [];
});
afterEach(async () => {
  await endAll();
  for (const end of close) end();
  project.remove();
  folder.remove();
});

/** Makes changes one after another and has each handled at its second attempt. Answers the programs, which have ended. */
async function deliver(
  more: Record<string, string>,
  logTo: { stdout?: number; stderr?: number }[] = [{}, {}],
): Promise<[Running, Running]> {
  const port = freePort();
  const env = { ...environment(folder.path), ...more, PORT: String(port) };
  const url = `http://127.0.0.1:${port}`;
  const api = run(["src/main.ts"], { env, ...logTo[0] });
  await eventually(
    () =>
      fetch(`${url}/health/ready`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    "the API",
  );
  const shop = run([join(project.path, "consumers/shop.ts")], { env, ...logTo[1] });
  await shop.line("Receives events");
  for (let n = 0; n < events; n += 1) expect((await send("POST", `${url}/items`, { name: `item ${n}` })).status).toBe(201);
  const handled = await shop.lines(/^handled/, events, 20_000);
  expect(handled.map((line) => Number(line.split(" ")[1])).sort((a, b) => a - b)).toEqual(Array.from({ length: events }, (_, n) => n + 1));
  const stopping = performance.now();
  expect(await Promise.all([api.stop(), shop.stop()])).toEqual([0, 0]);
  expect(performance.now() - stopping).toBeLessThan(5000);
  return [api, shop];
}

function silent(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {}, error() {} } });
  close.push(() => server.stop(true));
  return server.port;
}

function answering(status: number): number | undefined {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("x".repeat(10_000), { status }) });
  close.push(() => void server.stop(true));
  return server.port;
}

test.each<[string, () => number | undefined]>([
  ["refuses connections", freePort],
  ["never answers", silent],
  ["answers 500", () => answering(500)],
  ["answers 503", () => answering(503)],
  ["answers 200 with no protobuf", () => answering(200)],
])("invariant 7: a collector that %s slows nothing, fails nothing, and holds up no exit", async (_, start) => {
  const [api, shop] = await deliver({ ...tracing, OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:s3cret@127.0.0.1:${start()}` });
  expect(api.stderr).toEqual([]);
  for (const lines of [api.stdout, shop.stderr]) {
    expect(lines.filter((line) => line.includes("OpenTelemetry collector"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("Cannot send traces")).length).toBeLessThanOrEqual(1);
    expect(lines.join()).not.toContain("s3cret");
    expect(lines.filter((line) => !line.startsWith("{"))).toEqual([]);
  }
});

/** A pipe: nobody ever reads from it, and with `closed` nobody can. */
function deadPipe({ closed }: { closed: boolean }): number {
  const path = join(folder.path, `pipe-${close.length}`);
  Bun.spawnSync(["mkfifo", path]);
  // Open for both, it has a reader, and so it opens at once.
  const both = openSync(path, constants.O_RDWR);
  const end = openSync(path, constants.O_WRONLY);
  if (closed) closeSync(both);
  close.push(() => {
    closeSync(end);
    if (!closed) closeSync(both);
  });
  return end;
}

function fullDisk(): number {
  const fd = openSync("/dev/full", "w");
  close.push(() => closeSync(fd));
  return fd;
}

test.each<[string, () => number]>([
  ["a pipe whose reader has gone", () => deadPipe({ closed: true })],
  ["a pipe whose reader does not read", () => deadPipe({ closed: false })],
  ["a full disk", fullDisk],
])("invariant 7: a log that goes to %s, and traces to nobody: delivery does not notice", async (_, open) => {
  const more = { ...tracing, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${freePort()}` };
  await deliver(more, [{ stdout: open() }, { stderr: open() }]);
});
