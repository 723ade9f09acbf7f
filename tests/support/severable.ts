import { startProxy } from "./proxy";
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
  const held = new HeldMessages();
  const proxy = await startProxy(port, () => held.listen());
  return { port: proxy.port, held, cut: () => proxy.close() };
}
