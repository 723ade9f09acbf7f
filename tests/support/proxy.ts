import { connect, createServer, type Socket } from "node:net";

/** Something that looks at what goes over a connection. */
export interface Tap {
  fromClient(bytes: Buffer): void;
  fromServer(bytes: Buffer): void;
}

/** A way to a server on this machine that can be as bad as a network. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections lead over it. */
  readonly connections: number;
  /** Cuts every connection. Nothing that was not sent on by now arrives any more; new connections work. */
  cut(): void;
  /** From now on nothing arrives over the connections that are there, and nobody is told. New connections work. */
  freeze(): void;
  /** Passes everything on in pieces of at most so many bytes, one in a turn of so many milliseconds, until {@link hasten}. */
  slow(bytes: number, everyMs: number): void;
  hasten(): void;
  /** Cuts every connection and takes no new one. */
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
    // Whoever still waits for a frozen connection finds that out by itself.
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

  /** What came before the other side went away is passed on. */
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
    // A sender that outruns the pace is held up, as on a slow line.
    if (this.#rest.length > 65_536) this.from.pause();
    else this.from.resume();
    if (this.#rest.length > 0) this.#timer = setTimeout(() => this.#pass(), pace?.everyMs ?? 0);
  }
}
