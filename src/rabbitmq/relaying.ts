import type { Config } from "../config/config";
import { type Log, messageOf } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import type { RelayTrouble } from "../store/relay-trouble";
import type { Store } from "../store/store";
import type { Broker } from "./connection";
import type { QueueInspector } from "./queue-inspection";
import { QueueWatch } from "./queue-watch";
import { RefusedEvents, toldRefusal } from "./refused-events";
import { Relay } from "./relay";
import { restoreBindings } from "./restore-bindings";
import { declareQueueForType, declareResources } from "./topology";

export interface RelayingOptions {
  /** Null: RABBITMQ_URL is `none`. */
  readonly broker: Broker | null;
  readonly inspector: QueueInspector | undefined;
  readonly config: Pick<Config, "strictTopology">;
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly log: Log;
  readonly tracing: Tracing;
}

export interface Relaying {
  readonly relay: Relay;
  /** Sentences about queues that refuse events, or could drop them, while RabbitMQ is connected. */
  readonly problems: () => string[];
  /** Fulfils when the broker is closed. */
  readonly ended: Promise<void>;
}

/** Declares what the relay needs, keeps it running while RabbitMQ is there, and looks at the queues that it sends to. */
export async function startRelaying({ broker, inspector, config, store, catalogue, log, tracing }: RelayingOptions): Promise<Relaying> {
  let trouble: RelayTrouble | null = null;
  let undeclared: RelayTrouble | null = null;
  const tell = (now: RelayTrouble | null) => {
    if (now === null && trouble === null) return;
    trouble = now;
    store.relayTrouble.save(now).catch((error: unknown) => log.debug({ error: messageOf(error) }, "Could not store what keeps the relay"));
  };
  // A process that was killed may have left one.
  if (store.relayTrouble.get()) await store.relayTrouble.save(null);

  const exchangeOf = (type: string) => catalogue.resourceOf(type)?.exchange ?? "events";
  const relay = new Relay({
    log: store.log,
    relayed: store.relayed,
    exchangeOf,
    makeRoute: async (type, exchange) => {
      if (broker) await declareQueueForType(broker, type, exchange, log);
    },
    refused: new RefusedEvents({
      queuesOf: async (type) => {
        const bound = (await inspector?.boundQueues(exchangeOf(type))) ?? [];
        return [...new Set([...(await queuesOf(type, catalogue, store)), ...bound])];
      },
      limitOf: async (queue) => (await inspector?.inspect(queue))?.limit,
      onChange: (refusal) => tell(refusal && { queue: refusal.queue, what: toldRefusal(refusal), since: refusal.since }),
      logger: log,
    }),
    logger: log,
    tracing,
  });
  await relay.load();
  store.onAppend(() => relay.wake());

  const names = async () => [
    ...catalogue.resources.map(({ queue }) => queue),
    ...(await store.subscriptions.list()).map(({ queue }) => queue),
  ];
  const watch = inspector && new QueueWatch(inspector, names, log);
  const ended = broker?.keepChannel(async (channel, closed) => {
    try {
      await declareResources(broker, catalogue.resources, log);
    } catch (error) {
      if (broker.state === "connected") {
        undeclared = { queue: null, what: `No event can be sent: ${messageOf(error)}.`, since: new Date().toISOString() };
        tell(undeclared);
      }
      throw error;
    }
    // What RabbitMQ or a queue refuses is not over with a new channel.
    if (trouble === undeclared) tell(null);
    await restoreBindings(closed, { broker, store, catalogue, log, onlySigned: config.strictTopology });
    void watch?.run(closed);
    await relay.run(channel, closed);
  });
  return {
    relay,
    problems: () => [...(trouble ? [trouble.what] : []), ...(watch?.problems ?? [])],
    ended: ended ?? Promise.resolve(),
  };
}

/** The queues of this program's consumers that get events of a type; not those that are being filled, as they are not bound yet. */
async function queuesOf(type: string, catalogue: Catalogue, { subscriptions, replays }: Pick<Store, "subscriptions" | "replays">) {
  const filled = new Set((await replays.unfinished()).filter(({ fill }) => fill === 1).map(({ queue }) => queue));
  const own = (await subscriptions.list()).filter(({ queue, types }) => types.includes(type) && !filled.has(queue));
  const shared = catalogue.resourceOf(type)?.queue ?? `${type.slice(0, type.lastIndexOf("."))}_events`;
  return [shared, ...own.map(({ queue }) => queue)];
}
