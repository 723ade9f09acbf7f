// Real processes, no broker: what a person has who installed nothing.
import { beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { probe } from "../../src/rabbitmq/probe";
import { rabbitmqAt } from "../support/broker-config";
import { environment, eventually, run, send, startApi, startLogger, threadsOf } from "../support/processes";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const folder = useFolder();
let env: Record<string, string>;
beforeEach(() => {
  env = environment(folder.path);
});

const sample = { name: "Sample Item", price: 9.99 };

describe("without a broker", () => {
  test("a change over HTTP is a line in the logger's terminal", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await send("POST", `${api.url}/items`, sample);
    await send("PUT", `${api.url}/items/1`, { name: "Updated Item" });
    await send("DELETE", `${api.url}/items/1`);
    const lines = await logger.lines(/^\[/, 3);
    const time = "\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}";
    expect(logger.stdout[0]).toBe("Event consumer started. Waiting for events... Press Ctrl+C to exit.");
    expect(lines[0]).toMatch(new RegExp(`^\\[CREATED\\] Item ID: 1, Name: Sample Item at ${time}$`));
    expect(lines[1]).toMatch(new RegExp(`^\\[UPDATED\\] Item ID: 1, Name: Updated Item at ${time}$`));
    expect(lines[2]).toMatch(new RegExp(`^\\[DELETED\\] Item ID: 1, Name: Updated Item at ${time}$`));
  });

  test("both programs say which transport they use, and why", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    await api.line("Transport: embedded, because RABBITMQ_URL is none");
    await logger.line("Transport: embedded, because RABBITMQ_URL is none", "stderr");
  });

  test("with RABBITMQ_URL not set, what answers at localhost:5672 decides", async () => {
    const { RABBITMQ_URL: _, ...unset } = env;
    const trouble = await probe(rabbitmqAt("amqp://guest:guest@localhost:5672"), 1500);
    const help = run(["consumers/logger.ts", "--events", "item.created"], { env: unset });
    await help.line(
      trouble === undefined
        ? "Transport: rabbitmq, because RABBITMQ_URL is not set"
        : "Transport: embedded, because RABBITMQ_URL is not set",
      "stderr",
    );
    expect(await help.stop()).toBe(0);
  });

  test("a durable logger that starts first, before there is a database, gets everything", async () => {
    const logger = run(["consumers/logger.ts"], { env });
    await logger.line("Waiting for the API to create its database", "stderr");
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, sample);
    await logger.lines(/^\[CREATED\]/, 1);
  });

  test("a durable logger gets what is in the log already; a restarted one goes on where it stopped", async () => {
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, { name: "before" });
    const first = await startLogger([], { env });
    await first.lines(/Name: before/, 1);
    expect(await first.stop("SIGINT")).toBe(0);
    await send("POST", `${api.url}/items`, { name: "between" });
    const second = await startLogger([], { env });
    await send("POST", `${api.url}/items`, { name: "after" });
    await second.lines(/^\[CREATED\]/, 2);
    expect(second.stdout.slice(1).map((line) => /Name: (\w+)/.exec(line)?.[1])).toEqual(["between", "after"]);
  });

  test("a temporary logger with a filter starts from now, and leaves the others their events", async () => {
    const api = await startApi({ env });
    await send("POST", `${api.url}/items`, { name: "before" });
    const filtered = await startLogger(["--events", "item.deleted"], { env });
    const all = await startLogger([], { env });
    await send("DELETE", `${api.url}/items/1`);
    await filtered.lines(/^\[DELETED\]/, 1);
    await all.lines(/^\[/, 2);
    expect(filtered.stdout.slice(1)).toHaveLength(1);
  });

  test("a new event is at the logger within 50 ms of its answer", async () => {
    const api = await startApi({ env });
    const logger = await startLogger([], { env });
    const delays: number[] = [];
    for (let id = 1; id <= 21; id += 1) {
      await send("POST", `${api.url}/items`, sample);
      const answered = performance.now();
      await logger.lines(/^\[CREATED\]/, id);
      delays.push(performance.now() - answered);
    }
    // The one in the middle: on a busy machine a process may wait longer than that for its turn.
    expect(delays.sort((a, b) => a - b)[10]).toBeLessThan(50);
  });

  test("--json prints the event, and nothing else, to standard output", async () => {
    const api = await startApi({ env });
    const logger = await startLogger(["--json"], { env });
    await send("POST", `${api.url}/items`, sample);
    const [line = ""] = await logger.lines(/./, 1);
    const event = JSON.parse(line) as Record<string, unknown>;
    expect(Object.keys(event)).toEqual(["id", "type", "version", "item", "timestamp"]);
    expect(event["item"]).toMatchObject({ id: 1, name: "Sample Item", description: null, price: 9.99, version: 1 });
  });

  test("a second logger on the same queue stands by, and takes over when the first is killed", async () => {
    const api = await startApi({ env });
    const first = await startLogger([], { env });
    const second = run(["consumers/logger.ts"], { env });
    await second.line("standing by", "stderr");
    await send("POST", `${api.url}/items`, { name: "one" });
    await first.lines(/Name: one/, 1);
    await first.stop("SIGKILL");
    await second.line("Waiting for events");
    await send("POST", `${api.url}/items`, { name: "two" });
    await second.lines(/Name: two/, 1);
  });

  test.each([
    ["", undefined],
    [", with a slow disk, for which commits have a thread of their own", "tests/support/slow-commits.ts"],
  ])("invariant 1: every 2xx is in the table and in the log after kill -9 under load%s", async (_, preload) => {
    let api = await startApi({ env }, preload);
    const logger = await startLogger(["--json"], { env });
    const acknowledged = new Set<number>();
    const writers = Array.from({ length: 16 }, async () => {
      for (;;) {
        const response = await send("POST", `${api.url}/items`, sample).catch(() => undefined);
        if (!response) return;
        if (response.status === 201) acknowledged.add(((await response.json()) as { id: number }).id);
      }
    });
    await eventually(() => (acknowledged.size > 500 ? true : undefined), "500 items");
    if (preload && existsSync("/proc/self/task")) expect(threadsOf(api.pid)).toContain("Worker");
    await api.stop("SIGKILL");
    await Promise.all(writers);
    api = await startApi({ env });
    const stored = await allIds(api.url);
    expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    // An item without its event, or an event without its item, would show here: ids in the log are exactly those in the table.
    await logger.lines(/item\.created/, stored.size);
    const seen = logger.stdout.map((line) => (JSON.parse(line) as { item: { id: number } }).item.id);
    expect(seen).toEqual([...stored]);
  });
});

describe("the start", () => {
  test("a second API on the same database is refused, and the first goes on", async () => {
    const api = await startApi({ env });
    const second = run(["src/main.ts"], { env });
    await second.line("is in use by another Warren API", "stderr");
    expect(await second.exited).toBe(1);
    expect((await send("POST", `${api.url}/items`, sample)).status).toBe(201);
  });

  test("every bad variable is reported at once", async () => {
    const api = run(["src/main.ts"], { env: { ...env, PORT: "http", LOG_LEVEL: "loud", HOST: "0.0.0.0" } });
    expect(await api.exited).toBe(1);
    const text = api.stderr.join("\n");
    for (const name of ["PORT", "LOG_LEVEL", "API_TOKEN"]) expect(text).toContain(name);
  });

  test("reports a port that is in use, before it opens the store and perhaps upgrades it", async () => {
    const api = await startApi({ env });
    const other = run(["src/main.ts"], {
      env: { ...environment(folder.path), DATABASE_URL: `sqlite:${folder.path}/other.db`, PORT: new URL(api.url).port },
    });
    await other.line("Another program listens", "stderr");
    expect(await other.exited).toBe(1);
    expect(existsSync(`${folder.path}/other.db`)).toBe(false);
  });

  test("reports an address that this machine does not have", async () => {
    for (const HOST of ["192.0.2.1", "no.such.host.invalid"]) {
      const api = run(["src/main.ts"], { env: { ...env, HOST, API_TOKEN: "none" } });
      expect(await api.exited).toBe(1);
      expect(api.stderr.join("\n")).toContain(`Warren cannot listen on ${HOST}:0`);
    }
  });

  test("a database that cannot be opened is named", async () => {
    const { path } = folder;
    await Bun.write(`${path}/text.db`, "This is no database, whatever its name says.");
    mkdirSync(`${path}/folder`);
    for (const file of [`${path}/folder`, `${path}/text.db`, `${path}/text.db/warren.db`]) {
      const api = run(["src/main.ts"], { env: { ...env, DATABASE_URL: `sqlite:${file}` } });
      expect(await api.exited).toBe(1);
      expect(api.stderr.join("\n")).toContain(`The database ${file} cannot be opened: `);
    }
  });

  test("the logger refuses an unknown event type, and lists the known ones", async () => {
    const logger = run(["consumers/logger.ts", "--events", "item.crated"], { env });
    expect(await logger.exited).toBe(1);
    expect(logger.stderr.join("\n")).toMatch(/Unknown event type "item.crated". Known: .*item.created, item.updated, item.deleted/);
  });

  test("the API explains itself, and starts with no argument that it does not know", async () => {
    for (const [word, code, said] of [
      ["--help", 0, /^Runs the API until Ctrl\+C\. .*\bPORT\b/],
      ["--prot=80", 2, /^Unknown option '--prot'\.\nRun with --help for usage\.$/],
    ] as const) {
      const api = run(["src/main.ts", word], { env });
      expect(await api.exited).toBe(code);
      expect([...api.stdout, ...api.stderr].join("\n")).toMatch(said);
    }
  });

  test("the logger explains itself", async () => {
    const logger = run(["consumers/logger.ts", "--help"], { env });
    expect(await logger.exited).toBe(0);
    expect(logger.stdout.join("\n")).toContain("--events");
  });
});

describe("the stop", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} answers what is in flight and exits with 0`, async () => {
      const api = await startApi({ env });
      const answers = Array.from({ length: 50 }, () => send("POST", `${api.url}/items`, sample));
      await Promise.race(answers);
      const code = api.stop(signal);
      const settled = await Promise.allSettled(answers);
      expect(await code).toBe(0);
      const answered = settled.filter((answer) => answer.status === "fulfilled");
      expect(answered.every((answer) => answer.value.status === 201)).toBe(true);
      const again = await startApi({ env });
      expect((await allIds(again.url)).size).toBeGreaterThanOrEqual(answered.length);
    });
  }

  test("an open connection does not keep it from stopping", async () => {
    const api = await startApi({ env });
    const { hostname, port } = new URL(api.url);
    const open = Promise.withResolvers<void>();
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { open: () => open.resolve(), data() {} } });
    await open.promise;
    socket.write("POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    expect(await api.stop()).toBe(0);
    socket.end();
  });
});

/** Every id in the table, page by page. */
async function allIds(url: string): Promise<Set<number>> {
  const ids = new Set<number>();
  for (let after: string | number | null = 0; after !== null; ) {
    const page = (await (await send("GET", `${url}/items?limit=200&after=${after}`)).json()) as {
      items: { id: number }[];
      next: string | null;
    };
    for (const { id } of page.items) ids.add(id);
    after = page.next;
  }
  return ids;
}
