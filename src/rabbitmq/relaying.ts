import type { Config } from "../config/config";
import { type Log, messageOf } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import { tickType } from "../schema/tick-type";
import type { Leadership } from "../store/leadership";
import type { RelayTrouble } from "../store/relay-trouble";
import type { Store } from "../store/store";
import { timestamp } from "../timing/clock";
import type { Broker, ConfirmChannel } from "./connection";
import { Conversions } from "./conversions";
import type { QueueInspector } from "./queue-inspection";
import { QueueWatch } from "./queue-watch";
import { RefusedEvents, refusalText } from "./refused-events";
import { Relay } from "./relay";
import { queuesBeingFilled, restoreBindings } from "./restore-bindings";
import { declareDurableQueue, declareQueueForType, declareResources, sharedQueueOf } from "./topology";

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
  /** Undefined without a broker. */
  readonly conversions: Conversions | undefined;
  /**
   * Resolves with a sentence for each queue that refuses events or could drop them, while RabbitMQ is connected. Only the process that
   * runs the relay knows of those that could drop them.
   */
  readonly problems: () => Promise<string[]>;
  /** Inspects a queue before it is bound, so that the relay knows whether it may refuse events. */
  readonly lookAt: (queue: string) => Promise<void>;
  /** Resolves when the broker is closed. */
  readonly ended: Promise<void>;
}

/** Starts the relay. It runs whenever RabbitMQ is connected and this process leads. Also watches the queues that it sends to. */
export async function startRelaying({ broker, inspector, config, store, catalogue, log, tracing }: RelayingOptions): Promise<Relaying> {
  const trouble = new StoredTrouble(store, log);
  const names = async () => catalogue.queuesWith((await store.subscriptions.list()).map(({ queue }) => queue));
  const watch = inspector && new QueueWatch(inspector, names, log);
  const exchangeOf = (type: string) => catalogue.resourceOf(type)?.exchange ?? "events";
  const relay = new Relay({
    log: store.log,
    relayed: store.relayed,
    exchangeOf,
    makeRoute: async (routingKey, exchange) => {
      // An event of a schedule goes to its queue, which may not be there yet, or not any more.
      if (broker && exchange === "") await declareDurableQueue(broker, routingKey, log);
      else if (broker) await declareQueueForType(broker, routingKey, exchange, log);
    },
    refused: new RefusedEvents({
      queuesOf: async (type) => {
        const bound = (await inspector?.boundQueues(exchangeOf(type))) ?? [];
        return [...new Set([...(await queuesOf(type, catalogue, store)), ...bound])];
      },
      limitOf: async (queue) => watch?.limitOf(queue),
      isUnlimited: async (queue) => (await watch?.isUnlimited(queue).catch(() => false)) ?? false,
      onNewChannel: (use) => (broker ? broker.withConfirmChannel(use) : Promise.reject(new Error("There is no broker."))),
      hasLimit: () => watch?.hasLimit ?? false,
      hasQuorum: () => watch?.hasQuorum ?? false,
      onChange: (refusal) => trouble.set("refusing", refusal && { queue: refusal.queue, what: refusalText(refusal), since: refusal.since }),
      logger: log,
    }),
    logger: log,
    tracing,
  });
  if (broker) store.onAppend((appended) => relay.wake(appended));
  const onConverted = () => void watch?.look().catch(() => {});
  const conversions = broker && inspector && new Conversions({ broker, inspector, relay, store, catalogue, log, onConverted });

  const send = async (to: Broker, channel: ConfirmChannel, leadership: Leadership) => {
    await trouble.takeOver(leadership);
    try {
      await declareResources(to, catalogue.resources, log);
      await conversions?.resume(leadership);
    } catch (error) {
      if (to.state === "connected") trouble.begin("unable", `No event can be sent: ${messageOf(error)}.`);
      throw error;
    }
    trouble.set("unable", null);
    await restoreBindings(leadership.until, { broker: to, store, catalogue, log, onlySigned: config.strictTopology });
    await watch?.start(leadership);
    const over = new AbortController();
    const until = AbortSignal.any([leadership.until, over.signal]);
    const converting = conversions?.run({ ...leadership, until, holds: () => leadership.holds() && !over.signal.aborted });
    await relay.run(channel, leadership).finally(() => over.abort());
    await converting;
  };
  const ended = broker?.keepChannel(
    (channel, closed) => store.lead("relay", AbortSignal.any([closed, relay.stopping]), (leadership) => send(broker, channel, leadership)),
    relay.stopping,
  );
  return {
    relay,
    conversions: conversions ?? undefined,
    problems: async () => {
      const known = relay.isRunning ? [...(watch?.problems ?? []), ...(conversions?.problems ?? [])] : [];
      return [(await trouble.current())?.what ?? [], known].flat();
    },
    lookAt: async (queue) => watch?.lookAt(queue),
    ended: ended ?? Promise.resolve(),
  };
}

/** The reason that the relay waits, stored so that other processes and `bun run status` show it. */
class StoredTrouble {
  readonly #troubles: { unable: RelayTrouble | null; refusing: RelayTrouble | null } = { unable: null, refusing: null };
  /** The last leadership of this process. */
  #leadership: Leadership | undefined;

  constructor(
    readonly store: Pick<Store, "relayTrouble">,
    readonly log: Log,
  ) {}

  get #own(): RelayTrouble | null {
    return this.#troubles.unable ?? this.#troubles.refusing;
  }

  /** Resolves with the trouble of the process that leads. */
  async current(): Promise<RelayTrouble | null> {
    return this.#leadership?.holds() ? this.#own : await this.store.relayTrouble.get();
  }

  /** Replaces what an earlier leader has left. */
  async takeOver(leadership: Leadership): Promise<void> {
    this.#leadership = leadership;
    if (this.#own || (await this.store.relayTrouble.get())) await this.store.relayTrouble.save(this.#own, leadership);
  }

  /** Does nothing if there is such a trouble already, so that its time stays. */
  begin(kind: "unable" | "refusing", what: string): void {
    if (!this.#troubles[kind]) this.set(kind, { queue: null, what, since: timestamp() });
  }

  set(kind: "unable" | "refusing", trouble: RelayTrouble | null): void {
    if (this.#troubles[kind] === null && trouble === null) return;
    this.#troubles[kind] = trouble;
    if (!this.#leadership) return;
    this.store.relayTrouble
      .save(this.#own, this.#leadership)
      .catch((error: unknown) => this.log.debug({ error: messageOf(error) }, "Cannot store why the relay is waiting"));
  }
}

/** Returns the queues of consumers that get events of a type, except those being filled, which are not bound yet. */
async function queuesOf(type: string, catalogue: Catalogue, store: Pick<Store, "subscriptions" | "replays">) {
  const filled = await queuesBeingFilled(store);
  const own = (await store.subscriptions.list()).filter(({ queue, types }) => types.includes(type) && !filled.has(queue));
  const shared = type === tickType ? [] : [catalogue.resourceOf(type)?.queue ?? sharedQueueOf(type)];
  return [...shared, ...own.map(({ queue }) => queue)];
}
