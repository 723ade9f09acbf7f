import { Webhook } from "standardwebhooks";

/** A request that a subscriber received. */
export interface Received {
  readonly event: { readonly id: string; readonly type: string; readonly item: { readonly id: number; readonly version: number } };
  readonly body: string;
  readonly headers: Headers;
  /** Result of verification by standardwebhooks: null, or the reason that it failed. */
  readonly trouble: string | null;
  /** Time of arrival, as returned by performance.now(). */
  readonly at: number;
  /** Port of the other end of the connection. */
  readonly port: number | undefined;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Resolves when there have been `count` requests in total. */
  until(count: number): Promise<readonly Received[]>;
  stop(): void;
}

export interface ReceiverOptions {
  readonly secret: string;
  /** Returns the response to the n-th request, counted from 1. Default: 204. */
  readonly answer?: (nth: number, received: Received) => Response | Promise<Response>;
  readonly hostname?: string;
  readonly port?: number;
  readonly tls?: { cert: string; key: string };
}

/** Starts a subscriber's HTTP server, which verifies each request as a subscriber would. */
export function startReceiver({ secret, answer, hostname = "127.0.0.1", port = 0, tls }: ReceiverOptions): Receiver {
  const received: Received[] = [];
  let waiting: (() => void)[] = [];
  const server = Bun.serve({
    hostname,
    port,
    ...(tls && { tls }),
    idleTimeout: 0,
    async fetch(request, server) {
      const body = await request.text();
      const { headers } = request;
      const got: Received = {
        event: JSON.parse(body) as Received["event"],
        body,
        headers,
        trouble: troubleOf(secret, body, headers),
        at: performance.now(),
        port: server.requestIP(request)?.port,
      };
      received.push(got);
      for (const wake of waiting.splice(0)) wake();
      return answer?.(received.length, got) ?? new Response(null, { status: 204 });
    },
  });
  return {
    url: `${tls ? "https" : "http"}://${hostname}:${server.port}/hook`,
    port: server.port ?? 0,
    received,
    async until(count) {
      while (received.length < count) await new Promise<void>((resolve) => void waiting.push(resolve));
      return received;
    },
    stop() {
      waiting = [];
      void server.stop(true);
    },
  };
}

function troubleOf(secret: string, body: string, headers: Headers): string | null {
  try {
    new Webhook(secret).verify(body, Object.fromEntries(headers));
    return null;
  } catch (error) {
    return String(error);
  }
}

export function newSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
}
