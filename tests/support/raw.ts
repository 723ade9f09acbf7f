// Sends requests as raw bytes, which no HTTP client would send, to the application in this process.
import { openApi, type TestApi, type TestOptions } from "./api";

export interface RawAnswer {
  /** Status code; 0 if the connection was closed without a response. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** All received text, if several responses are expected. */
  readonly text: string;
}

export interface ListeningApi extends TestApi {
  readonly port: number;
  /**
   * Sends the parts one at a time, each after the response to the one before. Resolves when the server has closed the connection, so the
   * last part should ask for that.
   */
  raw(...parts: readonly string[]): Promise<RawAnswer>;
  /** Sends a request with `Host: localhost`, `Connection: close` and further header lines. */
  request(target: string, ...lines: string[]): Promise<RawAnswer>;
}

/**
 * Same as `openApi`, listening on a free port of 127.0.0.1.
 *
 * @param serve.idleTimeout Timeout in seconds. Default: the application's own.
 */
export function listeningApi(options?: TestOptions, serve: { idleTimeout?: number } = {}): ListeningApi {
  const api = openApi(options);
  api.app.listen({ port: 0, hostname: "127.0.0.1", ...serve });
  const port = api.app.server?.port ?? 0;
  const raw = (...parts: readonly string[]) => exchange(port, parts);
  return {
    ...api,
    port,
    raw,
    request: (target, ...lines) => raw(`${[target, "Host: localhost", "Connection: close", ...lines].join("\r\n")}\r\n\r\n`),
    async close() {
      await api.app.server?.stop(true);
      await api.close();
    },
  };
}

/** Returns the status codes of all responses on a connection. */
export function statusesIn({ text }: Pick<RawAnswer, "text">): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status));
}

async function exchange(port: number, [first = "", ...following]: readonly string[]): Promise<RawAnswer> {
  const closed = Promise.withResolvers<void>();
  const received: Uint8Array[] = [];
  let sent = 1;
  let rest = Buffer.from(first);
  const write = (socket: { write(data: Uint8Array): number }) => {
    rest = rest.subarray(Math.max(0, socket.write(rest)));
  };
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: write,
      drain: write,
      data: (socket, chunk) => {
        received.push(Uint8Array.from(chunk));
        if (statusesIn({ text: Buffer.concat(received).toString() }).length < sent) return;
        sent += 1;
        rest = Buffer.concat([rest, Buffer.from(following.shift() ?? "")]);
        write(socket);
      },
      close: () => closed.resolve(),
      error: () => closed.resolve(),
    },
  });
  await closed.promise;
  const text = Buffer.concat(received).toString();
  const end = text.indexOf("\r\n\r\n");
  const head = end < 0 ? text : text.slice(0, end);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    head: head.toLowerCase(),
    body: end < 0 ? "" : text.slice(end + 4),
    text,
  };
}
