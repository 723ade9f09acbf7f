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
  /** Null if RABBITMQ_URL is `none`. */
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
  /** Returns a sentence for each queue that refuses events or could drop them, while RabbitMQ is connected. */
  readonly problems: () => string[];
  /** Inspects a queue before it is bound, so that the relay knows whether it may refuse events. */
  readonly lookAt: (queue: string) => Promise<void>;
  /** Resolves when the broker is closed. */
  readonly ended: Promise<void>;
}

/** Starts the relay. It runs whenever RabbitMQ is connected and this process leads. Also watches the queues that it sends to. */
export async function startRelaying({ broker, inspector, config, store, catalogue, log, tracing }: RelayingOptions): Promise<Relaying> {
  const trouble = new StoredTrouble(store, log);
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
      hasLimit: () => watch?.hasLimit ?? false,
      onChange: (refusal) => trouble.set("refusing", refusal && { queue: refusal.queue, what: refusalText(refusal), since: refusal.since }),
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
      if (broker.state === "connected") trouble.begin("unable", `No event can be sent: ${messageOf(error)}.`);
      throw error;
    }
    trouble.set("unable", null);
    await store.lead("relay", closed, async (until) => {
      await restoreBindings(until, { broker, store, catalogue, log, onlySigned: config.strictTopology });
      await watch?.start(until);
      await relay.run(channel, until);
    });
  });
  return {
    relay,
    problems: () => [trouble.current?.what ?? [], watch?.problems ?? []].flat(),
    lookAt: async (queue) => watch?.lookAt(queue),
    ended: ended ?? Promise.resolve(),
  };
}

/** The reason that the relay waits, stored so that `bun run status` shows it. */
class StoredTrouble {
  readonly #troubles: { unable: RelayTrouble | null; refusing: RelayTrouble | null } = { unable: null, refusing: null };

  constructor(
    readonly store: Pick<Store, "relayTrouble">,
    readonly log: Log,
  ) {}

  get current(): RelayTrouble | null {
    return this.#troubles.unable ?? this.#troubles.refusing;
  }

  /** Does nothing if there is such a trouble already, so that its time stays. */
  begin(kind: "unable" | "refusing", what: string): void {
    if (!this.#troubles[kind]) this.set(kind, { queue: null, what, since: new Date().toISOString() });
  }

  set(kind: "unable" | "refusing", trouble: RelayTrouble | null): void {
    if (this.#troubles[kind] === null && trouble === null) return;
    this.#troubles[kind] = trouble;
    this.store.relayTrouble
      .save(this.current)
      .catch((error: unknown) => this.log.debug({ error: messageOf(error) }, "Cannot store why the relay is waiting"));
  }
}

/** Returns the queues of consumers that get events of a type, except those being filled, which are not bound yet. */
async function queuesOf(type: string, catalogue: Catalogue, store: Pick<Store, "subscriptions" | "replays">) {
  const filled = await queuesBeingFilled(store);
  const own = (await store.subscriptions.list()).filter(({ queue, types }) => types.includes(type) && !filled.has(queue));
  const shared = catalogue.resourceOf(type)?.queue ?? sharedQueueOf(type);
  return [shared, ...own.map(({ queue }) => queue)];
}
