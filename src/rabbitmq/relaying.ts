import type { Config } from "../config/config";
import { type Log, messageOf } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import type { RelayTrouble } from "../store/relay-trouble";
import type { Store } from "../store/store";
import type { Broker } from "./connection";
import type { QueueInspector } from "./queue-inspection";
import { QueueWatch } from "./queue-watch";
import { RefusedEvents, refusalText } from "./refused-events";
import { Relay } from "./relay";
import { queuesBeingFilled, restoreBindings } from "./restore-bindings";
import { declareQueueForType, declareResources, sharedQueueOf } from "./topology";

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
  let unable: RelayTrouble | null = null;
  let refusing: RelayTrouble | null = null;
  const trouble = () => unable ?? refusing;
  const told = () =>
    store.relayTrouble
      .save(trouble())
      .catch((error: unknown) => log.debug({ error: messageOf(error) }, "Cannot store why the relay is waiting"));
  // A process that was killed may have left one.
  if (await store.relayTrouble.get()) await store.relayTrouble.save(null);

  const names = async () => catalogue.queuesWith((await store.subscriptions.list()).map(({ queue }) => queue));
  const watch = inspector && new QueueWatch(inspector, names, log);
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
      limitOf: async (queue) => watch?.limitOf(queue),
      onChange: (refusal) => {
        refusing = refusal && { queue: refusal.queue, what: refusalText(refusal), since: refusal.since };
        void told();
      },
      logger: log,
    }),
    logger: log,
    tracing,
  });
  await relay.load();
  store.onAppend(() => relay.wake());

  const ended = broker?.keepChannel(async (channel, closed) => {
    try {
      await declareResources(broker, catalogue.resources, log);
    } catch (error) {
      if (broker.state === "connected" && !unable) {
        unable = { queue: null, what: `No event can be sent: ${messageOf(error)}.`, since: new Date().toISOString() };
        void told();
      }
      throw error;
    }
    if (unable) {
      unable = null;
      void told();
    }
    await store.lead("relay", closed, async (until) => {
      await restoreBindings(until, { broker, store, catalogue, log, onlySigned: config.strictTopology });
      void watch?.run(until);
      await relay.run(channel, until);
    });
  });
  return {
    relay,
    problems: () => [trouble()?.what ?? [], watch?.problems ?? []].flat(),
    ended: ended ?? Promise.resolve(),
  };
}

/** The queues of this program's consumers that get events of a type; not those that are being filled, as they are not bound yet. */
async function queuesOf(type: string, catalogue: Catalogue, store: Pick<Store, "subscriptions" | "replays">) {
  const filled = await queuesBeingFilled(store);
  const own = (await store.subscriptions.list()).filter(({ queue, types }) => types.includes(type) && !filled.has(queue));
  const shared = catalogue.resourceOf(type)?.queue ?? sharedQueueOf(type);
  return [shared, ...own.map(({ queue }) => queue)];
}
