// GET /status, its stream and its history, on each engine: what `bun run status` shows, for whoever may see it.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { AnyElysia } from "elysia";
import items from "../routes/items";
import { buildApp } from "../src/app/app";
import status from "../src/built-in/status";
import { readConfig } from "../src/config/config";
import { item } from "../src/domain/item";
import { type Engine, startEngine } from "../src/engine/engine";
import type { Status } from "../src/status/status";
import { StatusStreams } from "../src/status/status-streams";
import { consumerStores } from "../src/store/open";
import { openApi } from "./support/api";
import { environmentOf, forEachEngine, type Places } from "./support/engines";
import { eventually } from "./support/processes";
import { recordedLog } from "./support/recorded-log";
import { catalogue } from "./support/resources";
import { useFolder } from "./support/use-folder";

const routes = [
  { file: "items.ts", path: "/items", route: items },
  { file: "status.ts", path: "/status", route: status },
];

/** Reads server-sent events until one of them is what is waited for. */
async function untilEvent(response: Response, isIt: (event: string, data: Record<string, unknown>) => boolean): Promise<string[]> {
  const events: string[] = [];
  let text = "";
  for await (const bytes of response.body as ReadableStream<Uint8Array>) {
    text += new TextDecoder().decode(bytes);
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
      if (event === undefined || data === undefined) continue;
      events.push(event);
      if (isIt(event, JSON.parse(data) as Record<string, unknown>)) return events;
    }
  }
  throw new Error(`The stream ended after ${events.join()}`);
}

forEachEngine((placesIn) => {
  const folder = useFolder();
  let places: Places;
  let engine: Engine;
  let app: AnyElysia;
  const stopping = new AbortController();
  beforeEach(async () => {
    places = placesIn(folder.path);
    const config = readConfig({ isTerminal: false, environment: environmentOf(places) });
    const { log } = recordedLog();
    engine = await startEngine(config, catalogue, log);
    app = buildApp({ routes, config, log, dependencies: { ...engine.dependencies, clientOf: () => null, stopping: stopping.signal } });
  });
  afterEach(() => engine.stop());

  const get = async <T>(path: string) => (await (await app.handle(new Request(`http://test${path}`))).json()) as T;
  const post = () =>
    app.handle(
      new Request("http://test/items", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(item.example),
      }),
    );

  test("the state of the system, and what only this process knows", async () => {
    for (let n = 0; n < 3; n += 1) await post();
    const stores = consumerStores(places);
    const stock = await stores.open("stock", { durable: false });
    await stock.begin(engine.dependencies.system.logId, 1, ["item.created"]);
    const found = await get<Status>("/status");
    expect(found).toMatchObject({
      transport: { name: "embedded" },
      ...{ broker: null, relay: null, log: { events: 3 }, api: { running: true } },
      queues: [{ queue: "stock", kind: "own", messages: 2, consumers: 0, retries: 0, deadLetters: 0 }],
      needs: [{ kind: "no-consumer", queue: "stock" }],
      flow: { committed: 0, confirmed: null, handled: null, failed: null },
      latency: { request: { count: 3 }, commit: { count: expect.any(Number) }, delay: null, handler: null },
      here: { pid: process.pid, memoryBytes: expect.any(Number) },
    });
    const [one] = found.api.processes ?? [{ pid: process.pid }];
    expect([one?.pid, found.database]).toEqual([process.pid, places.database.shown]);
    await stock.close();
    await stores.close();
  });

  test("its stream has the whole state, then what changes; it ends with the service", async () => {
    const response = await app.handle(new Request("http://test/status/stream"));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    let isFirst = true;
    const events = await untilEvent(response, (event, data) => {
      if (event === "status") expect(Object.keys(data)).toContain("queues");
      if (isFirst) void post();
      isFirst = false;
      return event === "change" && (data["log"] as { events: number } | undefined)?.events === 1;
    });
    expect(events[0]).toBe("status");
    expect(events.slice(1).every((event) => event === "change")).toBe(true);
  });

  test("its history has what was committed, although nobody looked", async () => {
    await eventually(async () => {
      await post();
      const { committed } = await get<{ committed: (number | null)[] }>("/status/history");
      return committed.some((rate) => rate !== null && rate > 0);
    }, "a rate");
    expect((await app.handle(new Request("http://test/status/history?range=2h"))).status).toBe(422);
  });
});

describe("streams of the status", () => {
  class Follower {
    onStatus: (status: Status) => void = () => {};
    onFailure: (error: unknown) => void = () => {};
    following = 0;
    follow = (follower: Pick<Follower, "onStatus" | "onFailure">) => {
      this.following += 1;
      Object.assign(this, follower);
      return () => {
        this.following -= 1;
      };
    };
  }
  const sinkTo = (texts: string[]) => ({
    write(bytes: Uint8Array): undefined {
      texts.push(new TextDecoder().decode(bytes));
    },
    end: () => void texts.push("end"),
    cut: () => void texts.push("cut"),
  });
  const state = (parts: object) => parts as Status;

  test("nothing is looked at when nobody follows", () => {
    const live = new Follower();
    const streams = new StatusStreams(live);
    const leave = [streams.open(sinkTo([])), streams.open(sinkTo([]))];
    expect(live.following).toBe(1);
    for (const each of leave) each();
    expect([live.following, streams.size]).toEqual([0, 0]);
  });

  test("a large change makes the next one wait, so that a stream sends 2 kB a second", () => {
    const live = new Follower();
    const texts: string[] = [];
    new StatusStreams(live).open(sinkTo(texts));
    let bytes = 0;
    for (let second = 0; second < 100; second += 1) {
      live.onStatus(state({ at: `${second}`, queues: `${second}`.padEnd(5000, "x"), needs: [] }));
      bytes = texts.join("").length;
    }
    expect(bytes / 100).toBeLessThan(2300);
    expect(texts.length).toBeGreaterThan(30);
    expect(texts.slice(2).every((text) => text.startsWith("event: change") && !text.includes("needs"))).toBe(true);
  });

  test("a state that cannot be read is said once, and then the state goes on", () => {
    const live = new Follower();
    const texts: string[] = [];
    const streams = new StatusStreams(live);
    streams.open(sinkTo(texts));
    live.onStatus(state({ at: "1", log: { events: 1 } }));
    live.onFailure(new Error("secret"));
    live.onFailure(new Error("secret"));
    live.onStatus(state({ at: "2", log: { events: 1 } }));
    streams.close();
    expect(texts.map((text) => /^event: (\w+)/.exec(text)?.[1] ?? text)).toEqual(["retry: 2000\n\n", "status", "failure", "change", "end"]);
    expect(texts.join("")).not.toContain("secret");
    streams.open(sinkTo(texts));
    expect(texts.at(-1)).toBe("end");
  });
});

test("a token that may read sees it; without one it is 401", async () => {
  const api = openApi({ routes, config: { apiTokens: [{ token: "token-to-read", scope: "read" }] } });
  const ask = async (path: string, authorization?: string) =>
    (await api.send("GET", path, undefined, authorization === undefined ? {} : { authorization })).status;
  for (const path of ["/status", "/status/history"]) {
    expect([await ask(path), await ask(path, "Bearer token-to-read")]).toEqual([401, 200]);
  }
  await api.close();
});
