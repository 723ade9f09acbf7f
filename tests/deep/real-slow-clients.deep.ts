// Clients that hold a connection without an end of their request: they are cut off, and hold up nobody meanwhile.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type ListeningApi, listeningApi } from "../support/raw";

setDefaultTimeout(60_000);

let api: ListeningApi;
beforeAll(() => {
  // Shorter than in service, so that the test is; Bun's own limit for a head stays.
  api = listeningApi({}, { idleTimeout: 4 });
});
afterAll(() => api.close());

/** Sends the beginning, then a byte per second. Returns the seconds until the server closes the connection. */
async function drip(beginning: string, byte: string): Promise<{ seconds: number; received: string }> {
  const closed = Promise.withResolvers<void>();
  let received = "";
  const started = performance.now();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: api.port,
    socket: {
      data: (_, bytes) => {
        received += bytes.toString();
      },
      close: () => closed.resolve(),
      error: () => closed.resolve(),
    },
  });
  socket.write(beginning);
  const timer = setInterval(() => socket.write(byte), 1000);
  await closed.promise;
  clearInterval(timer);
  return { seconds: (performance.now() - started) / 1000, received };
}

const post = "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

test("a byte a second of head or of body, or nothing at all: the connection is closed, and others are served", async () => {
  const clients = Promise.all([
    drip("", ""),
    drip("GET /items HTTP/1.1\r\nHost: localhost\r\nX: ", "a"),
    drip("GET /items HTTP/1.1\r\nHost: localhost\r\n", "\r"),
    drip(`${post}Content-Length: 1000\r\n\r\n{`, " "),
    drip(`${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`, "1\r\n \r\n"),
    drip("GET /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", "x"),
  ]);
  let ended = false;
  void clients.then(() => {
    ended = true;
  });
  let served = 0;
  while (!ended) {
    expect((await api.request("GET /health/live HTTP/1.1")).status).toBe(200);
    served += 1;
    await Bun.sleep(200);
  }
  for (const { seconds, received } of await clients) {
    expect(seconds).toBeLessThan(30);
    expect(received).not.toContain("HTTP/1.1 2");
  }
  expect(served).toBeGreaterThan(10);
  expect(await api.events()).toEqual([]);
});
