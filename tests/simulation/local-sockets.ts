import { readFileSync, writeFileSync } from "node:fs";
import type { Process } from "./process";
import { Link } from "./rabbit/link";
import type { World } from "./world";

interface Server {
  readonly process: Process;
  readonly answer: (request: Request) => Promise<Response>;
}

/** The Unix sockets of the simulated machine. Requests and responses arrive after an arbitrary delay, and are lost with a process. */
export class LocalSockets {
  readonly #servers = new Map<string, Server>();

  constructor(readonly world: World) {}

  /** Same as `Bun.serve` with a path. */
  serve(path: string, answer: Server["answer"]): { stop(): Promise<void> } {
    const server = { process: this.world.current as Process, answer };
    this.#servers.set(path, server);
    // As a file in the file system.
    writeFileSync(path, "");
    return {
      stop: async () => {
        if (this.#servers.get(path) === server) this.#servers.delete(path);
      },
    };
  }

  /** Same as `fetch` with a path. */
  fetch(path: string, url: string, options: RequestInit): Promise<Response> {
    const { world } = this;
    const server = this.#servers.get(path);
    if (!server?.process.isAlive) return Promise.reject(new Error("Nobody listens on the socket."));
    const there = new Link(world, server.process);
    const back = new Link(world, world.current);
    return new Promise((resolve, reject) => {
      let isDone = false;
      const end = (then: () => void) => {
        if (isDone) return;
        isDone = true;
        world.lanes.delete(there);
        back.send(() => {
          world.lanes.delete(back);
          then();
        });
      };
      server.process.onDeath.push(() => end(() => reject(new Error("The socket was closed."))));
      const { signal: _, ...rest } = options;
      there.send(async () => {
        const response = await server.answer(new Request(url, rest));
        const text = await response.text();
        if (server.process.isAlive) end(() => resolve(new Response(text, { status: response.status })));
      });
    });
  }
}

/** Returns what replaces the functions of Bun that use Unix sockets, and the small files that tell of them, in real time. */
export function localFunctions(world: World): { readonly fetch: unknown; readonly serve: unknown; readonly file: unknown } {
  const sockets = new LocalSockets(world);
  const { file } = Bun;
  return {
    serve: ({ unix, fetch }: { unix: string; fetch: Server["answer"] }) => sockets.serve(unix, fetch),
    fetch: (url: string, { unix, ...options }: RequestInit & { unix: string }) => sockets.fetch(unix, url, options),
    file: (path: string) =>
      path.endsWith(".changes") ? { json: async () => JSON.parse(readFileSync(path, "utf8")) as unknown } : file(path),
  };
}
