// Sends single webhook deliveries to servers on this machine.

import type { AnyEvent } from "warren/consumer";
import { deliver } from "../../src/webhook/deliver";
import { parseSubscriptions } from "../../src/webhook/subscriptions";
import { eventually } from "./processes";
import { newSecret, type Receiver, type ReceiverOptions, startReceiver } from "./receiver";
import { catalogue } from "./resources";

const secret = newSecret();
export const event: AnyEvent = {
  id: "019ab790-8c6e-7000-a9c7-a7d37be9ec58",
  type: "item.created",
  version: 1,
  item: {
    id: 1,
    name: "Ünï\u2028 \ud800",
    description: null,
    price: 9.99,
    version: 1,
    createdAt: "2026-11-24T20:48:05.494Z",
    updatedAt: "2026-11-24T20:48:05.494Z",
  },
  timestamp: "2026-11-24T20:48:05.494Z",
};

const open: { stop(): void }[] = [];
/** Open connections to raw servers. */
const connections = new Set<unknown>();

/** Stops every server. Call it in `afterEach`. */
export function stopServers(): void {
  for (const server of open.splice(0)) server.stop();
}

export function receiver(options: Partial<ReceiverOptions> = {}): Receiver {
  const server = startReceiver({ secret, ...options });
  open.push(server);
  return server;
}

export interface RawSocket {
  readonly remotePort: number;
  write(text: string): number;
  end(text?: string): void;
  terminate(): void;
}

/** Starts a server that writes arbitrary bytes when a request arrives. Returns its URL. */
export function rawServer(write: (socket: RawSocket) => void): string {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => void connections.add(socket), close: (socket) => void connections.delete(socket), data: write, error() {} },
  });
  open.push({ stop: () => server.stop(true) });
  return `http://127.0.0.1:${server.port}/`;
}

/** Writes `first` at once, then `drop` every 20 ms. */
export function drip(socket: RawSocket, first: string, drop: string): void {
  socket.write(first);
  const timer = setInterval(() => {
    if (socket.write(drop) <= 0) clearInterval(timer);
  }, 20);
  open.push({ stop: () => clearInterval(timer) });
}

/** Resolves when the deliveries have closed every connection to a raw server. */
export const allClosed = () => eventually(() => (connections.size === 0 ? true : undefined), "the connection to be closed", 10_000);

const never = new AbortController().signal;

/** Delivers the event to a URL, with a subscription that may connect to this machine. */
export function deliverTo(url: string, entry: object = {}, attempt: Partial<Parameters<typeof deliver>[2]> = {}) {
  const whole = { name: "crm", url, events: ["#"], secret, allowNetworks: ["127.0.0.0/8"], timeoutMs: 10_000, ...entry };
  const [subscription] = parseSubscriptions(JSON.stringify({ subscriptions: [whole] }), "webhooks.json", catalogue);
  if (!subscription) throw new Error("no subscription");
  return deliver(subscription, event, { attempt: 1, stopping: never, ...attempt });
}

/** Resolves with the error of a delivery. Throws if it does not fail. */
export async function errorOf(delivery: Promise<unknown>): Promise<Error> {
  const result = await delivery.catch((error: Error) => error);
  if (!(result instanceof Error)) throw new Error(`It did not fail: ${result}`);
  return result;
}
