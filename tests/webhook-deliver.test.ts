// Deliveries to real servers on this machine, each of which fails in a way of its own.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { RetryAfter } from "warren/consumer";
import { allClosed, deliverTo, drip, errorOf, event, type RawSocket, rawServer, receiver, stopServers } from "./support/delivery";
import { freePort } from "./support/net";

// A busy machine may take its time; what hangs still ends.
setDefaultTimeout(20_000);
afterEach(stopServers);

describe("a delivery", () => {
  test("is a POST with the event as its body, signed", async () => {
    const crm = receiver();
    expect(await deliverTo(`${crm.url}?tenant=7`)).toBe("delivered");
    const [got] = crm.received;
    expect(got?.trouble).toBeNull();
    expect(got?.body).toBe(JSON.stringify(event));
    expect(got?.headers.get("webhook-id")).toBe(event.id);
    expect(got?.headers.get("content-type")).toBe("application/json");
    expect(got?.headers.get("host")).toBe(`127.0.0.1:${crm.port}`);
  });

  test.each([200, 201, 202, 204, 299])("is done with %d", async (status) => {
    const crm = receiver({ answer: () => new Response(null, { status }) });
    expect(await deliverTo(crm.url)).toBe("delivered");
  });

  test("is not wanted any more with 410", async () => {
    const crm = receiver({ answer: () => new Response("gone", { status: 410 }) });
    expect(await deliverTo(crm.url)).toBe("gone");
  });

  test.each([400, 401, 404, 409, 418, 500, 502, 504])("fails with %d, and its Retry-After is not looked at", async (status) => {
    const crm = receiver({ answer: () => new Response("no", { status, headers: { "retry-after": "60" } }) });
    const error = await errorOf(deliverTo(crm.url));
    expect(error).not.toBeInstanceOf(RetryAfter);
    expect(error.message).toStartWith(`127.0.0.1:${crm.port} responded with ${status}`);
  });

  test("uses a connection again, and a new one when the server has just closed that", async () => {
    const ports: number[] = [];
    let closeNext = false;
    const url = rawServer((socket) => {
      ports.push(socket.remotePort);
      if (closeNext) socket.terminate();
      else socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      closeNext = false;
    });
    expect(await deliverTo(url)).toBe("delivered");
    expect(await deliverTo(url)).toBe("delivered");
    expect(ports[1]).toBe(ports[0] as number);
    closeNext = true;
    expect(await deliverTo(url)).toBe("delivered");
    expect(ports[2]).toBe(ports[0] as number);
    expect(ports[3]).not.toBe(ports[0] as number);
  });
});

describe("Retry-After", () => {
  const answering = (status: number, retryAfter: string) =>
    receiver({ answer: () => new Response("later", { status, headers: { "retry-after": retryAfter } }) }).url;
  const delayOf = async (delivery: Promise<unknown>) => {
    const error = await errorOf(delivery);
    expect(error).toBeInstanceOf(RetryAfter);
    return (error as RetryAfter).delayMs;
  };

  test.each([429, 503])("is honoured with %d: seconds", async (status) => {
    expect(await delayOf(deliverTo(answering(status, "120")))).toBe(120_000);
  });

  test.each([429, 503])("is honoured with %d: a date", async (status) => {
    const delayMs = await delayOf(deliverTo(answering(status, new Date(Date.now() + 60_000).toUTCString())));
    expect(delayMs).toBeGreaterThan(55_000);
    expect(delayMs).toBeLessThanOrEqual(60_000);
  });

  test("never makes the delay shorter than the retry policy has it", async () => {
    const retry = { firstDelayMs: 5000, factor: 4 };
    expect(await delayOf(deliverTo(answering(429, "1"), { retry }))).toBe(5000);
    expect(await delayOf(deliverTo(answering(429, "1"), { retry }, { attempt: 3 }))).toBe(80_000);
  });

  test("that makes no sense is an ordinary failure", async () => {
    expect(await errorOf(deliverTo(answering(429, "soon")))).not.toBeInstanceOf(RetryAfter);
  });
});

describe("a redirect", () => {
  test.each([301, 302, 303, 307, 308])("is not followed: %d", async (status) => {
    const inner = receiver();
    const crm = receiver({ answer: () => new Response(null, { status, headers: { location: inner.url } }) });
    expect((await errorOf(deliverTo(crm.url))).message).toContain(`responded with ${status}`);
    expect((await errorOf(deliverTo(crm.url))).message).toContain("redirects are not followed");
    expect(inner.received).toHaveLength(0);
  });
});

describe("a server that does not keep to the rules", () => {
  const noAnswer = [
    ["never answers", () => {}, "no response within 300 ms"],
    ["closes at once", (socket) => socket.end(), "socket hang up"],
    ["resets the connection", (socket) => socket.terminate(), "ECONNRESET"],
    ["does not speak HTTP", (socket) => socket.write("220 mail.example.com ESMTP\r\n"), "Parse Error"],
    ["has headers without end", (socket) => socket.write(`HTTP/1.1 200 OK\r\n${"x-more: yes\r\n".repeat(100_000)}`), "Header overflow"],
    ["sends a byte of its headers now and then", (socket) => drip(socket, "HTTP/1.1 200 OK\r\n", "x"), "no response within 300 ms"],
    ["says nothing but 100 Continue", (socket) => drip(socket, "", "HTTP/1.1 100 Continue\r\n\r\n"), "no response within 300 ms"],
    [
      "switches protocols",
      (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
      "another protocol",
    ],
  ] satisfies [string, (socket: RawSocket) => void, string][];
  test.each(noAnswer)("%s: the delivery fails in time", async (_, write, message) => {
    const url = rawServer(write);
    const error = await errorOf(deliverTo(url, { timeoutMs: 300 }));
    expect(error.message).toContain(message);
    expect(error.message).toContain(new URL(url).host);
    await allClosed();
  });

  const halfAnAnswer = [
    ["ends too early", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")],
    ["never ends", (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")],
    ["comes drop by drop", (socket) => drip(socket, "HTTP/1.1 200 OK\r\n\r\n", "x")],
  ] satisfies [string, (socket: RawSocket) => void][];
  test.each(halfAnAnswer)("says 200, but its body %s: the event is delivered all the same", async (_, write) => {
    expect(await deliverTo(rawServer(write), { timeoutMs: 300 })).toBe("delivered");
    await allClosed();
  });

  test("an endless body is cut, and nothing of it is kept", async () => {
    const cut = Promise.withResolvers<void>();
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 16_384;
        controller.enqueue(new Uint8Array(16_384));
      },
      cancel: () => cut.resolve(),
    });
    const crm = receiver({ answer: () => new Response(body) });
    expect(await deliverTo(crm.url)).toBe("delivered");
    await cut.promise;
    // What the sockets of both ends hold is more than the 64 KiB that are read.
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  test("an endless body of an error is cut as well", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16_384)) });
    const crm = receiver({ answer: () => new Response(body, { status: 500 }) });
    expect((await errorOf(deliverTo(crm.url))).message).toContain("responded with 500");
  });

  test("nobody listens", async () => {
    const port = freePort();
    expect((await errorOf(deliverTo(`http://127.0.0.1:${port}/`))).message).toBe(
      `127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  test("no message shows path or query", async () => {
    const crm = receiver({ answer: () => new Response(null, { status: 500 }) });
    for (const url of [`${crm.url}/token-1?key=token-2`, `http://127.0.0.1:${freePort()}/token-1?key=token-2`]) {
      const error = await errorOf(deliverTo(url));
      expect(`${error.message}${error.stack}`).not.toContain("token-");
    }
  });
});

test("a stop gives up on an answer that does not come", async () => {
  const crm = receiver({ answer: () => new Promise(() => {}) });
  const stopping = new AbortController();
  const delivery = errorOf(deliverTo(crm.url, {}, { stopping: stopping.signal }));
  await crm.until(1);
  stopping.abort();
  expect((await delivery).message).toBe(`127.0.0.1:${crm.port}: aborted because the consumer is stopping`);
});
