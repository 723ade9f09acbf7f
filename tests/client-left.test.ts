// A client that goes away in the middle of a request: nothing failed in the service, so nothing may look as if it had.
import { afterEach, expect, test } from "bun:test";
import { connect } from "node:net";
import { Elysia, t } from "elysia";
import { crud } from "warren/crud";
import items from "../routes/items";
import metrics from "../src/built-in/metrics";
import { eventually } from "./support/processes";
import { type ListeningApi, listeningApi } from "./support/raw";
import { order } from "./support/resources";

let api: ListeningApi;
afterEach(() => api.close());

const own = () =>
  new Elysia()
    .post("/json", ({ request }) => request.json(), { parse: "none" })
    .post("/stream", ({ request }) => Array.fromAsync(request.body ?? []), { parse: "none" })
    .post("/elysia", () => "read", { body: t.Object({ name: t.String() }) })
    .post("/wrapped", async ({ request }) => {
      await request.bytes().catch((cause: unknown) => {
        throw new Error("The picture cannot be read", { cause });
      });
    })
    // A handler may give up its own work by the signal of the request.
    .get("/signal", ({ request: { signal } }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))))
    .get("/bug", async ({ request: { signal } }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new TypeError("a mistake in the handler");
    });
const routes = [
  { file: "items.ts", path: "/items", route: items },
  { file: "orders.ts", path: "/orders", route: crud(order) },
  { file: "metrics.ts", path: "/metrics", route: metrics },
  { file: "own.ts", path: "/own", route: own },
];

/** Sends the bytes and leaves while they are handled. Returns the status that the request is counted with. */
async function leave(bytes: string, how: "reset" | "end"): Promise<string> {
  api = listeningApi({ routes });
  const client = connect(api.port, "127.0.0.1").on("error", () => {});
  client.write(bytes);
  await eventually(() => api.app.server?.pendingRequests === 1 || undefined, "the request is being handled");
  if (how === "end") client.end();
  else client.resetAndDestroy();
  return eventually(async () => {
    const text = await api.metrics.render();
    return /request_duration_seconds_count\{.*http_response_status_code="(\d+)"\} 1/.exec(text)?.[1];
  }, "the request is counted");
}

const head = (line: string, ...lines: string[]) => [line, "Host: localhost", ...lines, "", ""].join("\r\n");
const json = "Content-Type: application/json";
const sized = 'Content-Length: 100\r\n\r\n[{"name":';
const chunked = 'Transfer-Encoding: chunked\r\n\r\n9\r\n[{"name":\r\n';

const requests = [
  "POST /items",
  "PUT /items/1",
  "PATCH /orders/1",
  "POST /items/bulk",
  "POST /own/json",
  "POST /own/stream",
  "POST /own/elysia",
  "POST /own/wrapped",
].flatMap((line) => [
  [`${line}, sized`, `${head(`${line} HTTP/1.1`, json).slice(0, -2)}${sized}`] as const,
  [`${line}, chunked`, `${head(`${line} HTTP/1.1`, json).slice(0, -2)}${chunked}`] as const,
]);

for (const how of ["reset", "end"] as const) {
  test.each([...requests, ["GET /own/signal", head("GET /own/signal HTTP/1.1")] as const])(
    `one that leaves by ${how}: %s`,
    async (_, bytes) => {
      expect([await leave(bytes, how), api.lines]).toEqual(["400", []]);
      expect(await api.events()).toEqual([]);
    },
  );
}

test("a mistake that shows when the client has left is one", async () => {
  expect(await leave(head("GET /own/bug HTTP/1.1"), "reset")).toBe("500");
  expect(api.lines).toMatchObject([{ level: "error", error: "a mistake in the handler" }]);
});
