// The live stream of events, with real processes and sockets.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { treaty } from "@elysiajs/eden";
import type { Browser } from "playwright-core";
import { eventRoutes } from "../../src/built-in/events";
import { item } from "../../src/domain/item";
import type { App } from "../../src/routes.generated";
import { openApi } from "../support/api";
import { describeWithBrowser, host, startBrowser } from "../support/browser";
import { openEvents, type Received } from "../support/event-source";
import { freePort } from "../support/net";
import { type Api, environment, eventually, send, startApi } from "../support/processes";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(90_000);

const folder = useFolder();
let env: Record<string, string>;
beforeEach(() => {
  env = environment(folder.path);
});

const create = (api: Pick<Api, "url">, name = "x") => send("POST", `${api.url}/items`, { name });

interface Page {
  events: { position: number; event: { type: string } }[];
  next: number;
  more: boolean;
}

/** The whole log, as the pages of the feed have it. */
async function pagesOf(api: Api): Promise<Received[]> {
  const received: Received[] = [];
  for (let after = 0, more = true; more; ) {
    const page = (await (await send("GET", `${api.url}/events?limit=200&after=${after}`)).json()) as Page;
    received.push(...page.events.map(({ position, event }) => ({ id: String(position), event: event.type, data: JSON.stringify(event) })));
    ({ next: after, more } = page);
  }
  return received;
}

test("the API is killed with -9 under load, and started again: whoever comes back has each event once, in order", async () => {
  let api = await startApi({ env });
  let writing = true;
  let written = 0;
  const writers = Array.from({ length: 8 }, async () => {
    while (writing) {
      const answer = await create(api).catch(() => undefined);
      if (answer?.status === 201) written += 1;
      else await Bun.sleep(20);
    }
  });
  const readers = ["?after=0", "", "?type=item.created"].map(async (query) => {
    const received: Received[] = [];
    let lastEventId = "";
    let start: number | undefined;
    while (writing || received.at(-1)?.id !== end) {
      const reader = await openEvents(`${api.url}/events/stream${query}`, lastEventId ? { "last-event-id": lastEventId } : {}).catch(
        () => undefined,
      );
      if (!reader) {
        await Bun.sleep(20);
        continue;
      }
      for (let event = await reader.next(); event; event = await reader.next()) {
        received.push(event);
        if (event.id === end) break;
      }
      start ??= Number(/^id: (\d+)/m.exec(reader.text)?.[1]);
      lastEventId = reader.lastEventId || lastEventId;
      await reader.leave();
    }
    return { received, start: start ?? 0 };
  });
  let end = "";
  for (const goal of [300, 600]) {
    await eventually(() => (written >= goal ? true : undefined), `${goal} items`);
    await api.stop("SIGKILL");
    api = await startApi({ env });
  }
  await eventually(() => (written >= 900 ? true : undefined), "900 items");
  writing = false;
  await Promise.all(writers);
  // One event more wakes each reader, and tells it that it has everything.
  end = String(Number((await pagesOf(api)).at(-1)?.id) + 1);
  await create(api);
  const log = await pagesOf(api);
  for (const { received, start } of await Promise.all(readers)) {
    expect(received.length).toBeGreaterThan(600);
    expect(received).toEqual(log.slice(start));
  }
});

test("SIGTERM ends every stream cleanly, and at once", async () => {
  const api = await startApi({ env });
  const readers = await Promise.all([1, 2, 3].map(() => openEvents(`${api.url}/events/stream`)));
  await create(api);
  for (const reader of readers) await reader.take(1);
  const started = performance.now();
  const stopping = api.stop();
  // The end of a chunked answer, and not a connection that was cut.
  for (const reader of readers) expect(await reader.next()).toBeUndefined();
  expect(await stopping).toBe(0);
  expect(performance.now() - started).toBeLessThan(2500);
});

test("1,000 streams at once: each has every event in order; when they have left, none is held any more", async () => {
  const api = await startApi({ env });
  const { hostname, port, host } = new URL(api.url);
  // Sockets, since fetch has 256 requests at a time at most.
  const texts: string[] = [];
  const sockets = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      Bun.connect({
        hostname,
        port: Number(port),
        socket: {
          open(socket) {
            texts[index] = "";
            socket.write(`GET /events/stream HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
          },
          data(_socket, bytes) {
            texts[index] += bytes.toString("latin1");
          },
        },
      }),
    ),
  );
  const all = (pattern: RegExp, what: string) => eventually(() => (texts.every((text) => pattern.test(text)) ? true : undefined), what);
  await all(/^id: 0$/m, "every stream to be there");
  for (let n = 0; n < 20; n += 1) expect((await create(api)).status).toBe(201);
  await all(/^id: 20$/m, "the last event on every stream");
  const expected = Array.from({ length: 21 }, (_, index) => String(index));
  for (const text of texts) expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(expected);
  for (const socket of sockets) socket.end();
  const started = performance.now();
  expect(await api.stop()).toBe(0);
  expect(performance.now() - started).toBeLessThan(2500);
});

describe("a stream with a quick heartbeat and little patience", () => {
  let api: ReturnType<typeof openApi>;
  let url: string;
  beforeEach(() => {
    const route = eventRoutes({ heartbeatMs: 500, patienceMs: 2000, retryMs: 100 });
    api = openApi({ routes: [{ file: "events.ts", path: "/events", route }] });
    // Shorter than a stream lives: what a stream writes does not count as activity for Bun.
    api.app.listen({ port: 0, hostname: "127.0.0.1", idleTimeout: 4 });
    url = `http://127.0.0.1:${api.app.server?.port}/events/stream`;
  });
  afterEach(async () => {
    await api.app.server?.stop(true);
    await api.close();
  });

  test("drops a reader that takes nothing, while others have everything", async () => {
    const large = { name: "x", description: "d".repeat(2000), price: null };
    const writeMany = async () => {
      for (let n = 0; n < 3; n += 1) await Promise.all(Array.from({ length: 1000 }, () => api.store.insert(item, large)));
    };
    const closed = Promise.withResolvers<void>();
    const { hostname, port, pathname } = new URL(url);
    const deaf = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        open(socket) {
          socket.write(`GET ${pathname} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
          socket.pause();
        },
        data() {},
        close: () => closed.resolve(),
        error: () => closed.resolve(),
      },
    });
    const pending = () => api.app.server?.pendingRequests ?? 0;
    await eventually(() => (pending() === 1 ? true : undefined), "the deaf reader");
    await writeMany();
    const listening = await openEvents(`${url}?after=0`);
    expect((await listening.take(3000)).at(-1)?.id).toBe("3000");
    await eventually(() => (pending() === 1 ? true : undefined), "the deaf reader to be dropped");
    deaf.end();
    await listening.leave();
    await eventually(() => (pending() === 0 ? true : undefined), "the other one to have left");
  });

  test("reaches the typed client, event by event", async () => {
    await api.store.insert(item, item.example);
    const { data: stream } = await treaty<App>(new URL(url).origin).events.stream.get({ query: { after: "0", type: "item.*" } });
    const seen: unknown[] = [];
    for await (const { id, event, data } of stream ?? []) {
      seen.push([id, event, data?.type]);
      if (id === 1) break;
    }
    expect(seen).toEqual([
      [0, undefined, undefined],
      [1, "item.created", "item.created"],
    ]);
  });

  test("lives on while nothing happens: a heartbeat says so", async () => {
    const reader = await openEvents(url);
    const next = reader.next();
    await eventually(() => (reader.text.split(": still here\nid: 0\n\n").length > 18 ? true : undefined), "9 s of heartbeats");
    await api.store.insert(item, item.example);
    expect(await next).toMatchObject({ id: "1", event: "item.created" });
    await reader.leave();
  });
});

describeWithBrowser("EventSource in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  test("gets events by their type, and goes on by itself after a restart of the API, with no gap", async () => {
    const port = freePort();
    const fixed = { ...env, PORT: String(port), ALLOWED_HOSTS: host };
    const first = await startApi({ env: fixed });
    const page = await browser.newPage();
    await page.goto(`http://${host}:${port}/swagger`);
    await page.evaluate(`new Promise((opened) => {
      window.seen = [];
      const source = new EventSource("/events/stream?type=item.created");
      source.addEventListener("item.created", ({ lastEventId, data }) => window.seen.push(lastEventId + " " + JSON.parse(data).item.name));
      source.onopen = opened;
    })`);
    const seen = (count: number) =>
      eventually(async () => {
        const all = await page.evaluate<string[]>("window.seen");
        return all.length >= count ? all : undefined;
      }, `${count} events`);
    await create(first, "one");
    expect(await seen(1)).toEqual(["1 one"]);
    await first.stop();
    // What is written before the browser comes again.
    const second = await startApi({ env: fixed });
    await create(second, "two");
    expect(await seen(2)).toEqual(["1 one", "2 two"]);
    await page.close();
  });
});
