// The webhook consumer as a real process, and subscribers on this machine that fail in every way.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { certificateFor } from "../support/certificate";
import { freePort } from "../support/net";
import { type Api, endAll, eventually, send, startApi } from "../support/processes";
import { untilDead } from "../support/queue-consumer";
import { empty, WebhookTest } from "../support/webhook";

setDefaultTimeout(60_000);

let it: WebhookTest;
let api: Api;
beforeEach(async () => {
  it = new WebhookTest();
  api = await startApi({ env: it.env });
});
afterEach(async () => {
  await endAll();
  it.dispose();
});

describe("deliveries", () => {
  test("each subscriber gets the events that it asked for, signed for it, once", async () => {
    const all = it.subscriber("all");
    const deleted = it.subscriber("deleted", undefined, { events: ["*.deleted"] });
    const webhook = await it.start();
    await it.createItems(api, 20);
    await send("PATCH", `${api.url}/items/7`, { name: "Other" });
    await send("DELETE", `${api.url}/items/7`);
    await all.until(22);
    await deleted.until(1);
    expect(await webhook.stop("SIGINT")).toBe(0);
    expect([all.received.length, deleted.received.length]).toEqual([22, 1]);
    expect(new Set(all.received.map(({ event }) => event.id)).size).toBe(22);
    for (const { event, headers, trouble } of [...all.received, ...deleted.received]) {
      expect(trouble).toBeNull();
      expect(headers.get("webhook-id")).toBe(event.id);
    }
    const ofSeven = all.received.filter(({ event }) => event.item.id === 7);
    expect(ofSeven.map(({ event }) => event.type)).toEqual(["item.created", "item.updated", "item.deleted"]);
    expect(deleted.received[0]?.body).toBe(ofSeven[2]?.body as string);
  });

  test("whatever some subscribers do, the others get every event once", async () => {
    const tls = certificateFor("localhost");
    const good = it.subscriber("good");
    const failsOnce = it.subscriber("fails-once", (nth) => empty(nth === 1 ? 500 : 200));
    const alwaysFails = it.subscriber("always-fails", () => empty(500));
    const gone = it.subscriber("gone", () => empty(410));
    const limited = it.subscriber("limited", (nth) => (nth === 1 ? empty(429, { "retry-after": "2" }) : empty(204)));
    let busyUntil = 0;
    let againAt = 0;
    it.subscriber("busy", (nth) => {
      if (nth > 1) {
        againAt = Date.now();
        return empty(204);
      }
      const date = new Date(Date.now() + 2000).toUTCString();
      busyUntil = Date.parse(date);
      return empty(503, { "retry-after": date });
    });
    it.subscriber("moved", () => empty(302, { location: good.url }));
    it.subscriber("silent", () => new Promise(() => {}), { timeoutMs: 300 });
    const endless = it.subscriber(
      "endless",
      () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16_384)) })),
    );
    it.add({ name: "nobody", url: `http://127.0.0.1:${freePort()}/` });
    const secure = it.subscriber("secure", undefined, { tls });
    const wrongName = it.subscriber("wrong-name", undefined, { tls });
    const untrusted = it.subscriber("untrusted", undefined, { tls: certificateFor("localhost") });
    const inside = it.subscriber("inside", undefined, { allowNetworks: [] });
    const port = (url: string) => new URL(url).port;
    it.change("secure", { url: `https://localhost:${port(secure.url)}/` });
    it.change("wrong-name", { url: `https://127.0.0.1:${port(wrongName.url)}/` });
    it.change("untrusted", { url: `https://localhost:${port(untrusted.url)}/` });
    it.change("inside", { url: `http://localhost:${port(inside.url)}/` });
    const authority = join(it.folder.path, "authority.pem");
    await Bun.write(authority, tls.cert);

    const webhook = await it.start({ NODE_EXTRA_CA_CERTS: authority });
    await it.createItems(api, 1);
    await good.until(1);

    const deadLetters = ["always-fails", "moved", "silent", "nobody", "wrong-name", "untrusted", "inside"];
    const errors: Record<string, string | undefined> = {};
    for (const name of deadLetters) {
      const { error, reason, attempts } = await webhook.logged(name, "An event became a dead letter");
      errors[name] = error;
      expect([name, reason, attempts]).toEqual([name, "attempts-exhausted", 2]);
    }
    const { port: silentPort } = new URL(String(it.entries.find(({ name }) => name === "silent")?.["url"]));
    expect(errors["always-fails"]).toEndWith("responded with 500 Internal Server Error");
    expect(errors["moved"]).toContain("responded with 302 Found; redirects are not followed: set the new URL in the subscription");
    expect(errors["silent"]).toBe(`Error: 127.0.0.1:${silentPort}: no response within 300 ms`);
    expect(errors["nobody"]).toContain("ECONNREFUSED");
    expect(errors["wrong-name"]).toContain("does not match certificate's altnames");
    expect(errors["untrusted"]).toContain("self signed certificate");
    expect(errors["inside"]).toContain("localhost resolves to 127.0.0.1, which is not on the internet");

    await limited.until(2);
    await failsOnce.until(2);
    await eventually(() => (againAt > 0 ? true : undefined), "the second attempt after a 503");
    await webhook.logged("gone", "is disabled");
    const [first, second] = limited.received;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2000);
    expect(againAt).toBeGreaterThanOrEqual(busyUntil);

    // The failing ones have failed by now; nothing of it came to the others.
    expect([good, endless, secure].map(({ received }) => received.length)).toEqual([1, 1, 1]);
    expect([failsOnce, alwaysFails, limited].map(({ received }) => received.length)).toEqual([2, 2, 2]);
    expect([gone, wrongName, untrusted, inside].map(({ received }) => received.length)).toEqual([1, 0, 0, 0]);
    for (const { received } of [good, failsOnce, limited, secure]) expect(received.every(({ trouble }) => trouble === null)).toBe(true);
    const ids = failsOnce.received.map(({ headers }) => headers.get("webhook-id"));
    expect(ids[0]).toBe(ids[1] as string);

    expect(await webhook.stop()).toBe(0);
    const output = [...webhook.stdout, ...webhook.stderr].join("\n");
    for (const secret of it.secrets) expect(output).not.toContain(secret);
  });

  test("a slow subscriber takes as many at the same time as it may, and holds up no other", async () => {
    const waiting: (() => void)[] = [];
    const slow = it.subscriber("slow", () => new Promise((resolve) => waiting.push(() => resolve(empty(204)))), { concurrency: 4 });
    const good = it.subscriber("good");
    const webhook = await it.start();
    await it.createItems(api, 10);
    await good.until(10);
    await slow.until(4);
    expect(slow.received).toHaveLength(4);
    while (slow.received.length < 10) {
      const count = slow.received.length;
      waiting.shift()?.();
      await slow.until(count + 1);
      expect(slow.received).toHaveLength(count + 1);
    }
    for (const answer of waiting) answer();
    expect(await webhook.stop()).toBe(0);
    expect([slow.received.length, good.received.length]).toEqual([10, 10]);
  });

  test("dead letters stand under the subscription's queue, with the reason", async () => {
    it.subscriber("crm", () => empty(500));
    const webhook = await it.start();
    await it.createItems(api, 1);
    await webhook.logged("crm", "An event became a dead letter");
    // It is logged before it is stored.
    await untilDead(api.url, "webhook.crm", 1);
    const answer = await send("GET", `${api.url}/dead-letters/webhook.crm`);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toContain("attempts-exhausted");
    expect(text).toContain("responded with 500 Internal Server Error");
    for (const secret of it.secrets) expect(text).not.toContain(secret);
  });
});

describe("the stop", () => {
  test("waits for the responses in progress", async () => {
    const answer = Promise.withResolvers<Response>();
    const slow = it.subscriber("slow", () => answer.promise);
    const webhook = await it.start();
    await it.createItems(api, 1);
    await slow.until(1);
    const code = webhook.stop();
    await webhook.line("Stopping", "stderr");
    answer.resolve(empty(204));
    expect(await code).toBe(0);
    await it.start();
    await it.createItems(api, 1);
    await slow.until(2);
    expect(slow.received.map(({ event }) => event.item.id)).toEqual([1, 2]);
  });

  test("gives up on an answer that does not come, exits with 0, and the event is sent again after the next start", async () => {
    let isSilent = true;
    const silent = it.subscriber("silent", () => (isSilent ? new Promise(() => {}) : empty(204)), { timeoutMs: 60_000 });
    const good = it.subscriber("good");
    const webhook = await it.start();
    await it.createItems(api, 1);
    await silent.until(1);
    await good.until(1);
    expect(await webhook.stop()).toBe(0);
    isSilent = false;
    await it.start();
    await silent.until(2);
    expect(silent.received.map(({ event }) => event.item.id)).toEqual([1, 1]);
    expect(good.received).toHaveLength(1);
  });

  test("by kill -9 loses nothing", async () => {
    let isSilent = true;
    const silent = it.subscriber("silent", () => (isSilent ? new Promise(() => {}) : empty(204)));
    const webhook = await it.start();
    await it.createItems(api, 3);
    await silent.until(3);
    await webhook.stop("SIGKILL");
    isSilent = false;
    await it.start();
    await silent.until(6);
    expect(
      silent.received
        .slice(3)
        .map(({ event }) => event.item.id)
        .sort(),
    ).toEqual([1, 2, 3]);
  });
});
