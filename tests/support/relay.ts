import { RefusedEvents, type RelayRefusal } from "../../src/rabbitmq/refused-events";
import { Relay } from "../../src/rabbitmq/relay";
import { soleLeadership } from "../../src/store/leadership";
import { MemoryLog } from "./memory-log";
import { MockChannel } from "./mock-channel";
import { recordedLog } from "./recorded-log";

interface Queues {
  readonly known?: readonly string[];
  /** Known queues whose setup says that they may refuse events. */
  readonly limited?: readonly string[];
  /** Quorum queues without a limit. */
  readonly unlimited?: readonly string[];
  /** True if that is known only once a queue has refused an event. */
  readonly late?: boolean;
}

/** A relay between a log in memory and a channel whose broker is silent until the test says otherwise. */
export function relayOn(log = new MemoryLog(), queues: Queues = {}) {
  const [channel, newChannel] = [new MockChannel(), new MockChannel()];
  const { log: logger, lines, at } = recordedLog();
  /** Every route that was created, such as `item.created on events`. */
  const routes: string[] = [];
  const refusals: (RelayRefusal | null)[] = [];
  const refused = new RefusedEvents({
    queuesOf: async () => queues.known ?? [],
    limitOf: async (queue) => (queues.limited?.includes(queue) ? "x-max-length 5" : undefined),
    isUnlimited: async (queue) => queues.unlimited?.includes(queue) ?? false,
    onNewChannel: (use) => use(newChannel),
    hasQuorum: () => queues.unlimited !== undefined,
    hasLimit: () => queues.limited !== undefined && !queues.late,
    onChange: (refusal) => void refusals.push(refusal),
    logger,
  });
  const relay = new Relay({
    log,
    relayed: log.relayed,
    exchangeOf: (type) => (type.startsWith("order.") ? "sales" : "events"),
    makeRoute: async (type, exchange) => void routes.push(`${type} on ${exchange}`),
    refused,
    logger,
  });
  return { refusals, log, channel, newChannel, relay, lines, at, routes, run: (on = channel) => relay.run(on, soleLeadership(on.signal)) };
}

/** Returns the positions of the published events, in order, including repeats. */
export function positions(channel: MockChannel): number[] {
  return channel.published.map((message) => Number(String(message.options.messageId).replace("event-", "")));
}
