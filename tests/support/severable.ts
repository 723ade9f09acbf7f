import { startProxy } from "./proxy";
import { HeldMessages } from "./wire";

/** A connection to RabbitMQ that can be cut between two instructions of this program, like the death of a process. */
export interface Severable {
  /** URL of the connection. */
  readonly url: string;
  /** Messages delivered over it that are not settled. */
  readonly held: HeldMessages;
  /** Cuts the connection. Bytes not forwarded yet are lost. */
  cut(): void;
}

export async function severable(rabbitmqUrl: string): Promise<Severable> {
  const held = new HeldMessages();
  const url = new URL(rabbitmqUrl);
  const proxy = await startProxy(Number(url.port), () => held.listen());
  url.port = String(proxy.port);
  return { url: url.href, held, cut: () => proxy.close() };
}
