// Three API processes on one PostgreSQL, behind nginx with the configuration of deploy/cluster.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { freePort } from "../support/net";
import { usePostgres } from "../support/postgres";
import { isPostgresInstalled } from "../support/postgres-cluster";
import { eventually, type Running, root, run } from "../support/processes";

setDefaultTimeout(60_000);

const nginx = "/usr/sbin/nginx";
const isInstalled = existsSync(nginx) && isPostgresInstalled;
const describeWithNginx = isInstalled || process.env["NO_SKIP"] ? describe : describe.skip;

describeWithNginx(`three processes behind nginx${isInstalled ? "" : " (skipped: nginx or PostgreSQL is not installed)"}`, () => {
  const postgres = usePostgres();
  const token = "correct-horse-battery-staple";
  let folder: ReturnType<typeof temporaryFolder>;
  let url: string;
  let proxy: Running | undefined;
  const apis: Running[] = [];
  const ports: number[] = [];

  beforeAll(async () => {
    folder = temporaryFolder();
    for (let n = 0; n < 3; n += 1) {
      const port = freePort();
      ports.push(port);
      apis.push(startApi(port));
    }
    await Promise.all(ports.map((port) => isReady(`http://127.0.0.1:${port}`)));
    url = await startNginx();
  });
  afterAll(async () => {
    // Not by SIGKILL: it would leave the workers of nginx.
    await proxy?.stop("SIGTERM");
    await Promise.all(apis.map((api) => api.stop("SIGKILL")));
    folder.remove();
  });

  function startApi(port: number): Running {
    const env = {
      PORT: String(port),
      DATABASE_URL: postgres().url,
      DATA_DIR: folder.path,
      API_TOKEN: token,
      TRUST_PROXY: "1",
      RATE_LIMIT: "off",
      LOG_FORMAT: "json",
    };
    return run(["src/main.ts"], { env });
  }
  async function startNginx(): Promise<string> {
    const port = freePort();
    const shipped = await Bun.file(join(root, "deploy/cluster/nginx.conf")).text();
    const adapted = ports
      .reduce((text, own, index) => text.replace(`server api${index + 1}:3000`, `server 127.0.0.1:${own}`), shipped)
      .replace("listen 8080", `listen 127.0.0.1:${port}`)
      .replace("/dev/stdout", join(folder.path, "access.log"));
    expect(adapted).not.toContain("3000");
    const file = join(folder.path, "nginx.conf");
    await Bun.write(file, `daemon off;\npid ${join(folder.path, "nginx.pid")};\nerror_log stderr;\n${adapted}`);
    proxy = run(["-c", file, "-p", folder.path], { program: nginx });
    const at = `http://127.0.0.1:${port}`;
    await isReady(at);
    return at;
  }
  async function isReady(at: string): Promise<void> {
    const answers = () =>
      fetch(`${at}/health/ready`).then(
        ({ status }) => status === 200 || undefined,
        () => undefined,
      );
    await eventually(answers, `${at} to be ready`, 30_000);
  }
  const send = (method: string, path: string, body?: object, headers?: Record<string, string>) =>
    fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });

  test("share the requests, and each sees at once what another has written", async () => {
    const created = await Promise.all(Array.from({ length: 60 }, (_, n) => send("POST", "/items", { name: `item ${n}` })));
    expect(created.map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 201));
    const ids = await Promise.all(created.map(async (answer) => ((await answer.json()) as { id: number }).id));
    expect(new Set(ids).size).toBe(60);
    for (const id of ids) expect((await send("GET", `/items/${id}`)).status).toBe(200);
    const log = await Bun.file(join(folder.path, "access.log")).text();
    for (const port of ports) expect(log).toContain(`"127.0.0.1:${port}"`);
  });

  test("a key makes one change, whichever process gets its request", async () => {
    const body = { name: "once" };
    const answers = await Promise.all(
      Array.from({ length: 9 }, () =>
        send("POST", "/items", body, { "idempotency-key": "the-same-for-all" }).then((answer) => answer.json()),
      ),
    );
    expect(new Set(answers.map((item) => (item as { id: number }).id)).size).toBe(1);
  });

  test("a stream goes on at another process when its own is killed, and misses nothing", async () => {
    const reader = new StreamReader(`${url}/events/stream?type=item.created`, token);
    await reader.opened;
    const victim = await eventually(
      async () => servingProcess(await Bun.file(join(folder.path, "access.log")).text()),
      "a process to kill",
    );
    const sent: string[] = [];
    const write = async (name: string) => {
      // Repeats until it is answered, with the same key, as a client does.
      const key = crypto.randomUUID();
      await eventually(async () => {
        const { status } = await send("POST", "/items", { name }, { "idempotency-key": key }).catch(() => ({ status: 0 }));
        return status === 201 || undefined;
      }, `${name} to be created`);
      sent.push(name);
    };
    for (let n = 0; n < 20; n += 1) await write(`before ${n}`);
    await apis[victim]?.stop("SIGKILL");
    for (let n = 0; n < 20; n += 1) await write(`after ${n}`);
    await eventually(() => reader.names.includes("after 19") || undefined, "the last event", 30_000);
    expect(reader.names.filter((name) => sent.includes(name))).toEqual(sent);
    await reader.close();
    apis[victim] = startApi(ports[victim] as number);
    await isReady(`http://127.0.0.1:${ports[victim]}`);
  });

  test("a stopping process fails no request that may be repeated", async () => {
    let isOver = false;
    const statuses = new Map<number, number>();
    const reading = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) {
          const { status } = await send("GET", "/items?limit=1");
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      }),
    );
    await apis[0]?.stop("SIGTERM");
    apis[0] = startApi(ports[0] as number);
    await isReady(`http://127.0.0.1:${ports[0]}`);
    isOver = true;
    await reading;
    expect([...statuses.keys()]).toEqual([200]);
  });

  function servingProcess(log: string): number | undefined {
    const port = /"POST [^"]*" 201 \S+ "127\.0\.0\.1:(\d+)"/.exec(log)?.[1];
    return port === undefined ? undefined : ports.indexOf(Number(port));
  }
});

/** Reads a stream of events, and opens it again after the last one whenever it ends. */
class StreamReader {
  readonly names: string[] = [];
  readonly opened: Promise<void>;
  readonly #done: Promise<void>;
  readonly #stop = new AbortController();
  #last: string | undefined;

  constructor(url: string, token: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#done = this.#run(url, token, resolve);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(url: string, token: string, onOpen: () => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const headers = { authorization: `Bearer ${token}`, ...(this.#last && { "last-event-id": this.#last }) };
        const response = await fetch(url, { headers, signal: this.#stop.signal });
        if (response.status !== 200 || !response.body) throw new Error(`status ${response.status}`);
        onOpen();
        await this.#read(response.body);
      } catch {
        await Bun.sleep(50);
      }
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) this.#take(message);
    }
  }

  #take(message: string): void {
    const id = /^id: ?(.*)$/m.exec(message)?.[1];
    const data = /^data: ?(.*)$/m.exec(message)?.[1];
    if (id) this.#last = id;
    if (data) this.names.push((JSON.parse(data) as { item: { name: string } }).item.name);
  }
}
