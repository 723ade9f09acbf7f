import { connect, createServer, type Socket } from "node:net";
import { HeldMessages } from "./wire";

/** A way to RabbitMQ that can be cut between two instructions of this program, as the death of a process cuts it. */
export interface Severable {
  readonly port: number;
  /** What was delivered over it and is not settled. */
  readonly held: HeldMessages;
  /** Nothing that was not sent on by now arrives any more. */
  cut(): void;
}

export async function severable(port: number): Promise<Severable> {
  const sockets = new Set<Socket>();
  const held = new HeldMessages();
  let isCut = false;
  function pass(from: Socket, to: Socket, look: (bytes: Buffer) => void): void {
    sockets.add(from);
    from.on("data", (bytes: Buffer) => {
      if (isCut) return;
      look(bytes);
      to.write(bytes);
    });
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  }
  const server = createServer((client) => {
    const broker = connect(port, "127.0.0.1");
    const { fromClient, fromServer } = held.listen();
    pass(client, broker, fromClient);
    pass(broker, client, fromServer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    port: address.port,
    held,
    cut() {
      isCut = true;
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
