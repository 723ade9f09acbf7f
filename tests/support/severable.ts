import { startProxy } from "./proxy";
import { HeldMessages } from "./wire";

/** A connection to RabbitMQ that can be cut between two instructions of this program, like the death of a process. */
export interface Severable {
  readonly port: number;
  /** Messages delivered over it that are not settled. */
  readonly held: HeldMessages;
  /** Cuts the connection. Bytes not forwarded yet are lost. */
  cut(): void;
}

export async function severable(port: number): Promise<Severable> {
  const held = new HeldMessages();
  const proxy = await startProxy(port, () => held.listen());
  return { port: proxy.port, held, cut: () => proxy.close() };
}
