import { connect as connectTo, createServer, type Socket } from "node:net";

/** A way to a server that can be cut between two instructions of this program, as the death of a process cuts it. */
export interface Severable {
  readonly port: number;
  /** Nothing that was not sent on by now arrives any more. */
  cut(): void;
}

export async function severable(port: number): Promise<Severable> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = connectTo(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        if (!isCut) to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    port: address.port,
    cut() {
      isCut = true;
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
