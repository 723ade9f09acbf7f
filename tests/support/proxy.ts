import { connect, createServer, type Socket } from "node:net";

/** Observes the bytes of a connection. */
export interface Tap {
  fromClient(bytes: Buffer): void;
  fromServer(bytes: Buffer): void;
}

/** A TCP proxy to a server on this machine that can simulate a bad network. */
export interface TcpProxy {
  readonly port: number;
  /** Number of open connections. */
  readonly connections: number;
  /** Ports from which it is connected to the server. */
  readonly serverPorts: readonly number[];
  /** Closes every connection. Bytes not forwarded yet are lost; new connections work. */
  cut(): void;
  /** Stops forwarding on the current connections without closing them. New connections work. */
  freeze(): void;
  /** Forwards everything in pieces of at most `bytes`, one every `everyMs` milliseconds, until {@link hasten}. */
  slow(bytes: number, everyMs: number): void;
  hasten(): void;
  /** Closes every connection and accepts no new one. */
  close(): void;
}

export async function startProxy(target: number, tap?: () => Tap): Promise<TcpProxy> {
  const ways = new Set<Way>();
  let pace: Pace | undefined;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    const look = tap?.();
    const pair = [new Way(client, upstream, () => pace, look?.fromClient), new Way(upstream, client, () => pace, look?.fromServer)];
    for (const way of pair) ways.add(way);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
    }
    client.on("close", () => leave(pair));
    upstream.on("close", () => leave(pair));
  });
  function leave(pair: readonly Way[]): void {
    // The other side of a frozen connection must detect the failure itself.
    if (pair.some((way) => way.frozen)) return;
    for (const way of pair) {
      ways.delete(way);
      way.finish();
    }
  }
  function cut(): void {
    for (const way of ways) way.destroy();
    ways.clear();
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    port: address.port,
    get connections() {
      return ways.size / 2;
    },
    get serverPorts() {
      return [...ways].flatMap(({ to }) => (to.remotePort === target && to.localPort ? [to.localPort] : []));
    },
    cut,
    freeze() {
      for (const way of ways) way.frozen = true;
    },
    slow(bytes, everyMs) {
      pace = { bytes, everyMs };
    },
    hasten() {
      pace = undefined;
    },
    close() {
      server.close();
      cut();
    },
  };
}

interface Pace {
  readonly bytes: number;
  readonly everyMs: number;
}

/** One direction of a connection. */
class Way {
  frozen = false;
  #ended = false;
  #rest: Buffer = Buffer.alloc(0);
  #timer: Timer | undefined;

  constructor(
    readonly from: Socket,
    readonly to: Socket,
    readonly pace: () => Pace | undefined,
    look: ((bytes: Buffer) => void) | undefined,
  ) {
    from.on("data", (bytes: Buffer) => {
      if (this.frozen || this.#ended) return;
      look?.(bytes);
      this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
      if (!this.#timer) this.#pass();
    });
  }

  /** Forwards the bytes received before the other side closed. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.to.end(this.#rest);
    this.to.destroySoon();
  }

  destroy(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.from.destroy();
    this.to.destroy();
  }

  #pass(): void {
    this.#timer = undefined;
    if (this.frozen || this.#ended) return;
    const pace = this.pace();
    const piece = pace ? this.#rest.subarray(0, pace.bytes) : this.#rest;
    this.to.write(piece);
    this.#rest = this.#rest.subarray(piece.length);
    // Pause a sender that is faster than the pace, as on a slow line.
    if (this.#rest.length > 65_536) this.from.pause();
    else this.from.resume();
    if (this.#rest.length > 0) this.#timer = setTimeout(() => this.#pass(), pace?.everyMs ?? 0);
  }
}
