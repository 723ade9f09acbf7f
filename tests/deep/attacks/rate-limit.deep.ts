// A client that resets each connection as soon as its request is sent has no address any more when the limit is asked.
import { afterEach, expect, test } from "bun:test";
import { connect } from "node:net";
import metrics from "../../../src/built-in/metrics";
import { crud } from "../../../src/crud/crud";
import { eventually } from "../../support/processes";
import { type ListeningApi, listeningApi } from "../../support/raw";
import { order } from "../../support/resources";

let api: ListeningApi;
afterEach(() => api.close());

const body = JSON.stringify({ customer: "Mallory", address: { street: "a", city: "b" }, lines: [{ item: 1, quantity: 1 }] });
const post = `POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;

/** Sends a whole request and resets the connection (SO_LINGER 0) without waiting for the answer. */
async function sendAndReset(): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const client = connect(api.port, "127.0.0.1", () => {
    client.write(`${post}\r\n${body}`, () => client.resetAndDestroy());
  });
  client.on("error", () => {}).on("close", () => resolve());
  await closed;
}

async function counted(): Promise<Record<string, number>> {
  const text = await api.metrics.render();
  const samples = text.matchAll(/request_duration_seconds_count\{.*http_response_status_code="(\d+)"\} (\d+)/g);
  return Object.fromEntries([...samples].map(([, status, count]) => [status ?? "", Number(count)]));
}

test("200 requests whose connections are reset", async () => {
  const startedAt = performance.now();
  api = listeningApi({
    config: { rateLimit: 5 },
    routes: [
      { file: "orders.ts", path: "/orders", route: crud(order) },
      { file: "metrics.ts", path: "/metrics", route: metrics },
    ],
  });
  for (let n = 0; n < 200; n += 1) await sendAndReset();
  const all = await eventually(async () => {
    const { "201": created = 0, "429": refused = 0 } = await counted();
    return created + refused === 200 ? { created, refused } : undefined;
  }, "all 200 requests");
  // A bucket for those whose connection was still there, one for those that were gone, and what flows into both meanwhile.
  const most = 2 * (5 + Math.ceil(((performance.now() - startedAt) / 1000) * 5));
  expect(all.created).toBeLessThanOrEqual(most);
  expect(await api.store.log.end()).toBe(all.created);
});
