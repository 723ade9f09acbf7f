// Faults of Bun's own that clients of the service see, in plain Bun.serve. Each test fails when Bun has mended its fault: then
// what the message names is no longer true, or no longer needed.
import { afterEach, expect, test } from "bun:test";
import { statusesIn } from "./support/raw";

let server: ReturnType<typeof Bun.serve> | undefined;
afterEach(() => server?.stop(true));

/** Sends the bytes to a plain server. Returns all that it sends until it closes the connection or `enough` has come. */
async function exchange(fetch: (request: Request) => Response | Promise<Response>, bytes: string, enough?: number): Promise<string> {
  const plain = Bun.serve({ port: 0, hostname: "127.0.0.1", development: false, fetch });
  server = plain;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let text = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: plain.port ?? 0,
    socket: {
      open: (opened) => void opened.write(bytes),
      data(_, chunk) {
        text += chunk.toString();
        if (statusesIn({ text }).length === enough) end();
      },
      close: () => end(),
    },
  });
  await ended;
  socket.end();
  return text;
}

const write = "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
const read = "GET /items HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("a request pipelined behind one whose handler waits for its body closes the connection, and neither is answered", async () => {
  const seen: string[] = [];
  const waits = async (request: Request) => {
    seen.push(request.method);
    await request.text();
    await new Promise(setImmediate);
    return new Response("ok");
  };
  const answer = await exchange(waits, `${write}${read}`, 2);
  const mended = "Bun answers pipelined requests: remove this test, and what the README says of pipelining.";
  expect({ statuses: statusesIn({ text: answer }), seen, mended }).toEqual({ statuses: [], seen: ["POST"], mended });
});

test("the host of a request target in absolute form is dropped, and that of the header counts", async () => {
  const url = await exchange(
    (request) => new Response(request.url),
    "GET http://other.example/items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );
  const mended =
    "Bun tells the host of the target (RFC 9112, 3.2.2): let checkHost of src/http/host.ts look at it, and remove this test and what the README says.";
  expect({ url: url.split("\r\n\r\n")[1], mended }).toEqual({ url: "http://localhost/items", mended });
});
