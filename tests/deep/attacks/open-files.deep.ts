// More connections than the process may have open files: whoever asks how it is gets an answer, and the log says why others wait.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { temporaryFolder } from "../../support/folder";
import { type Api, endAll, environment, eventually, startApi } from "../../support/processes";

setDefaultTimeout(120_000);

const limit = 256;
/** More than there is room for. */
const clients = 400;

let folder: ReturnType<typeof temporaryFolder>;
let api: Api;
let sockets: Client[];
beforeEach(async () => {
  folder = temporaryFolder();
  sockets = [];
  const program = `${folder.path}/api.sh`;
  writeFileSync(program, `#!/bin/sh\nulimit -n ${limit}\nexec ${process.execPath} --no-env-file src/main.ts\n`);
  chmodSync(program, 0o755);
  api = await startApi({ program, env: environment(folder.path) });
});
afterEach(async () => {
  for (const { socket } of sockets) socket.destroy();
  await endAll();
  folder.remove();
});

interface Client {
  readonly socket: Socket;
  /** The status of the first answer; undefined: none has come. */
  status?: string | undefined;
}

/** Opens connections and sends the bytes on each; they stay open as long as the service lets them. */
function open(bytes: string): void {
  for (let n = 0; n < clients; n += 1) {
    const client: Client = { socket: connect(Number(new URL(api.url).port), "127.0.0.1") };
    client.socket
      .on("error", () => {})
      .on("data", (data) => {
        client.status ??= /^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1];
      });
    client.socket.write(bytes);
    sockets.push(client);
  }
}

const answered = () => Object.groupBy(sockets, ({ status }) => status ?? "none");
const head = (line: string, ...lines: string[]) => [line, "Host: localhost", ...lines, "", ""].join("\r\n");

async function answersHealth(): Promise<void> {
  const answer = await fetch(`${api.url}/health/ready`, { signal: AbortSignal.timeout(60_000), keepalive: false });
  expect(answer.status).toBe(200);
}
const log = () => [...api.stdout, ...api.stderr].join("\n");

test("reports the limit at the start", async () => {
  await api.line(`The limit of open files (ulimit -n) is ${limit}; allowing at most 128 streams and 192 concurrent requests`);
});

test("streams take half of it", async () => {
  open(head("GET /events/stream HTTP/1.1"));
  await answersHealth();
  // A place is given back only when a stream ends, and none does.
  await eventually(() => (answered()["429"]?.length ?? 0) > 0 || undefined, "a stream that is refused");
  expect(answered()["200"]).toHaveLength(128);
  await answersHealth();
  expect((await fetch(`${api.url}/items`)).status).toBe(200);
});

test("connections that wait for nothing are closed when there is little room", async () => {
  open(head("GET /items HTTP/1.1"));
  await answersHealth();
  await api.line("Close to the limit of open files");
  await eventually(() => answered()["200"]?.length === clients || undefined, "an answer to everyone", 60_000);
});

test("requests whose bodies do not come take three quarters; more are refused, and closed", async () => {
  open(`${head("POST /items HTTP/1.1", "Content-Type: application/json", "Content-Length: 1000")}{`);
  await answersHealth();
  const refused = await eventually(() => answered()["503"], "a request that is refused");
  expect(refused.length).toBeGreaterThan(0);
  await answersHealth();
});

test("connections on which nothing is sent are closed by Bun: the log says why others wait for that long", async () => {
  open("");
  await api.line("Close to the limit of open files");
  await answersHealth();
  expect(log()).not.toContain("EMFILE");
});
