// Answers in fewer bytes for those who ask: the same content, by the right headers, and nothing held up for it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import fc from "fast-check";
import { crud } from "warren/crud";
import items from "../routes/items";
import events from "../src/built-in/events";
import health from "../src/built-in/health";
import metrics from "../src/built-in/metrics";
import { acceptedCoding } from "../src/http/accepted-coding";
import { Fixed } from "../src/http/compression";
import { type ListeningApi, listeningApi } from "./support/raw";
import { order } from "./support/resources";

const many = Array.from({ length: 100 }, (_, n) => ({ n, name: `Sample ${n}` }));
const own = () =>
  new Elysia()
    .get("/object", () => ({ many }))
    .get("/array", () => many)
    .get("/text", () => "Sample ".repeat(1000))
    .get("/status", ({ set }) => {
      set.status = 202;
      return { many };
    })
    .get("/tagged", ({ set }) => {
      set.headers["etag"] = '"1"';
      return { many };
    })
    .get("/response", () => new Response("Sample ".repeat(1000)))
    .get("/small", () => ({ small: true }))
    .get("/stream", () => {
      const { readable, writable } = new TransformStream<string, string>();
      void writable.getWriter().write("Sample ".repeat(1000));
      return new Response(readable.pipeThrough(new TextEncoderStream()), { headers: { "content-type": "application/json" } });
    })
    .get("/generator", function* () {
      for (const each of many) yield `${JSON.stringify(each)}\n`;
    });

let api: ListeningApi;
beforeAll(async () => {
  api = listeningApi({
    // As where others can reach it: this must not undo what is done here.
    config: { rateLimit: 100_000, corsOrigins: ["https://app.example.com"] },
    routes: [
      { file: "items.ts", path: "/items", route: items },
      { file: "orders.ts", path: "/orders", route: crud(order) },
      { file: "events.ts", path: "/events", route: events },
      { file: "health.ts", path: "/health", route: health },
      { file: "metrics.ts", path: "/metrics", route: metrics },
      { file: "own.ts", path: "/own", route: own },
    ],
  });
  const address = { street: "Long Street ".repeat(15), city: "Sample" };
  const lines = Array.from({ length: 30 }, (_, n) => ({ item: n + 1, quantity: 1 }));
  const orders = Array.from({ length: 100 }, (_, n) => ({ customer: `Ada ${n}`, address, lines }));
  expect((await api.send("POST", "/orders/bulk", orders)).json()).toMatchObject({ created: 100 });
  await api.send("POST", "/items", { name: "x", description: "y".repeat(1990) });
});
afterAll(() => api.close());

function ask(path: string, accepted?: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
  const headers = { ...(accepted === undefined ? {} : { "accept-encoding": accepted }), ...init.headers };
  // As the bytes come, and without the header that fetch adds.
  return fetch(`http://127.0.0.1:${api.port}${path}`, { decompress: false, ...init, headers: { "accept-encoding": "", ...headers } });
}

function text(coding: "gzip" | "zstd", bytes: Uint8Array): string {
  const copy = Uint8Array.from(bytes);
  return Buffer.from(coding === "gzip" ? Bun.gunzipSync(copy) : Bun.zstdDecompressSync(copy)).toString();
}

const encodingOf = ({ headers }: Response) => [headers.get("content-encoding"), headers.get("vary")];

describe("what is long", () => {
  test.each([
    "/swagger/json",
    "/swagger/swagger-ui-bundle.js",
    "/swagger/swagger-ui.css",
    "/asyncapi.json",
    "/metrics",
    "/orders?limit=10",
    "/orders?sort=updatedAt",
    "/events",
    "/events?limit=5&type=order.*",
    "/own/object",
    "/own/array",
    "/own/text",
  ])("%s comes as the client accepts it, and is the same", async (path) => {
    const plain = await ask(path);
    const whole = await plain.text();
    expect([path, encodingOf(plain)]).toEqual([path, [null, "Origin, Accept-Encoding"]]);
    for (const coding of ["gzip", "zstd"] as const) {
      const answer = await ask(path, coding);
      const bytes = await answer.bytes();
      expect([path, answer.status, encodingOf(answer)]).toEqual([path, plain.status, [coding, "Origin, Accept-Encoding"]]);
      // The metrics count this very request.
      const same = text(coding, bytes);
      if (path !== "/metrics") expect(same === whole).toBe(true);
      else expect(same.startsWith(whole.slice(0, 1000))).toBe(true);
      expect(bytes.length).toBeLessThan(whole.length / 2);
      const named = (headers: Headers) =>
        Object.fromEntries([...headers].filter(([name]) => !/^(content-(length|encoding)|date|x-request-id|ratelimit)$/.test(name)));
      expect(named(answer.headers)).toEqual(named(plain.headers));
      expect(answer.headers.get("content-length")).toBe(String(bytes.length));
    }
  });

  test("HEAD has the headers of GET", async () => {
    for (const path of ["/orders", "/swagger/json", "/swagger/swagger-ui.css", "/own/object"]) {
      for (const coding of ["gzip", "zstd", "identity"]) {
        const [head, get] = [await ask(path, coding, { method: "HEAD" }), await ask(path, coding)];
        const of = ({ status, headers }: Response) => [
          status,
          ...["content-encoding", "vary", "content-type"].map((name) => headers.get(name)),
        ];
        expect([path, coding, of(head), head.headers.get("content-length")]).toEqual([
          path,
          coding,
          of(get),
          get.headers.get("content-length"),
        ]);
        expect(await head.text()).toBe("");
      }
    }
  });

  test("a bulk's results, of any length", async () => {
    const body = '{"name":"x"}\n'.repeat(2000);
    const answer = await ask("/items/bulk", "gzip", { method: "POST", body, headers: { "content-type": "application/x-ndjson" } });
    expect([answer.status, encodingOf(answer)]).toEqual([200, ["gzip", "Origin, Accept-Encoding"]]);
    expect(text("gzip", await answer.bytes()).split("\n")).toHaveLength(2001);
  });

  test("a page that is compressed on another thread", async () => {
    const { length } = await (await ask("/orders?limit=100")).text();
    expect(length).toBeGreaterThan(64 * 1024);
    for (const coding of ["gzip", "zstd"] as const) {
      const answer = await ask("/orders?limit=100", coding);
      expect([encodingOf(answer)[0], text(coding, await answer.bytes()).length]).toEqual([coding, length]);
    }
  });

  test("what never changes is read and compressed once for each coding; what fails is tried again", async () => {
    let reads = 0;
    const fixed = new Fixed(() => {
      reads += 1;
      return reads === 1 ? Promise.reject(new Error("too many open files")) : "Sample ".repeat(1000);
    });
    expect(fixed.compressed("gzip")).rejects.toThrow("too many open files");
    const [one, other] = await Promise.all([fixed.compressed("gzip"), fixed.compressed("gzip")]);
    expect([reads, one === other, text("gzip", one).length]).toEqual([2, true, 7000]);
    expect([text("zstd", await fixed.compressed("zstd")).length, reads]).toEqual([7000, 3]);
  });
});

describe("what comes as it is", () => {
  test.each([
    "/items/1",
    "/orders/1",
    "/health/live",
    "/swagger",
    "/own/small",
    "/own/response",
    "/own/tagged",
    "/own/status",
    "/own/generator",
    "/problems/invalid",
  ])("%s", async (path) => {
    const answer = await ask(path, "gzip, zstd");
    expect([path, answer.ok, encodingOf(answer)]).toEqual([path, true, [null, "Origin"]]);
  });

  test("a record with its ETag, which is the one of every client, and holds for all", async () => {
    const [plain, accepting] = [await ask("/items/1"), await ask("/items/1", "gzip, zstd")];
    const etag = accepting.headers.get("etag") ?? "";
    expect([plain.headers.get("etag"), (await accepting.text()).length > 1990]).toEqual([etag, true]);
    expect(etag).toMatch(/^"/);
    const unchanged = await ask("/items/1", "gzip", { headers: { "if-none-match": etag } });
    expect([unchanged.status, unchanged.headers.get("etag"), encodingOf(unchanged)]).toEqual([304, etag, [null, "Origin"]]);
    const changed = { method: "PATCH", body: '{"price":2}', headers: { "content-type": "application/json", "if-match": etag } };
    expect((await ask("/items/1", "gzip", changed)).status).toBe(200);
  });

  test("a problem, however long", async () => {
    const body = JSON.stringify(Object.fromEntries(many.map(({ n }) => [`unknown${n}`, n])));
    const answer = await ask("/items", "gzip", { method: "POST", body, headers: { "content-type": "application/json" } });
    expect([answer.status, encodingOf(answer)]).toEqual([422, [null, "Origin"]]);
  });

  test("a stream, each event of which comes at once", async () => {
    const answer = await ask("/events/stream?after=0", "gzip, zstd");
    expect(encodingOf(answer)).toEqual([null, "Origin"]);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toContain("retry:");
    await reader.cancel();
    const ours = await ask("/own/stream", "gzip, zstd");
    expect(encodingOf(ours)).toEqual([null, "Origin"]);
    const own = (ours.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await own.read()).value ?? []).toString()).toStartWith("Sample Sample");
    await own.cancel();
  });
});

describe("Accept-Encoding", () => {
  test.each([
    [null, undefined],
    ["", undefined],
    ["gzip", "gzip"],
    ["zstd", "zstd"],
    ["x-gzip", "gzip"],
    ["GZIP", "gzip"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "gzip"],
    ["br", undefined],
    ["*", "zstd"],
    ["*;q=0", undefined],
    ["zstd;q=0, *", "gzip"],
    ["gzip;q=0, zstd;q=0, *", undefined],
    ["gzip;q=1.0, zstd;q=0.5", "gzip"],
    ["gzip ; q=0.5 , zstd; q=0.4", "gzip"],
    ["gzip;q=0", undefined],
    ["gzip;q=0.000", undefined],
    ["gzip;q=0.001", "gzip"],
    ["identity", undefined],
    ["identity, gzip", "gzip"],
    ["identity;q=0.5, gzip;q=0.4", undefined],
    ["identity;q=0, br", undefined],
    ["gzip;q=2", undefined],
    ["gzip;q=x", undefined],
    ["gzip;q=", undefined],
    ["gzip;q=0.1234", undefined],
    [";;,,gzip", "gzip"],
    ["gzip;level=9", "gzip"],
    ["\u0000", undefined],
  ])("%j: %s", (header, coding) => {
    expect(acceptedCoding(header)).toBe(coding as never);
  });

  test("property: nothing is chosen that a client does not accept", () => {
    const member = fc.tuple(fc.constantFrom("gzip", "zstd", "identity", "br"), fc.integer({ min: 0, max: 1000 }));
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ([name]) => name }), (members) => {
        const coding = acceptedCoding(members.map(([name, q]) => `${name};q=${q / 1000}`).join(", "));
        const weight = (name: string) => members.find(([other]) => other === name)?.[1] ?? 0;
        if (coding === undefined)
          expect(Math.max(weight("gzip"), weight("zstd")) === 0 || weight("identity") > Math.max(weight("gzip"), weight("zstd"))).toBe(
            true,
          );
        else expect(weight(coding)).toBe(Math.max(1, weight("gzip"), weight("zstd"), weight("identity")));
      }),
    );
  });
});
