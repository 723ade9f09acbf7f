import type { Config } from "../config/config";
import type { DeadLetters } from "../delivery/dead-letters";
import { Replays } from "../delivery/replays";
import type { ChosenTransport } from "../delivery/transport";
import { EmbeddedDeadLetters } from "../embedded/dead-letters";
import { EmbeddedReplays } from "../embedded/replays";
import type { Log } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Broker } from "../rabbitmq/connection";
import { RabbitDeadLetters } from "../rabbitmq/dead-letters";
import { handleAnnouncements } from "../rabbitmq/handle-announcements";
import { quarantineFolder } from "../rabbitmq/quarantine";
import type { QueueInspector } from "../rabbitmq/queue-inspection";
import { Refusals } from "../rabbitmq/refusals";
import type { Relay } from "../rabbitmq/relay";
import { RabbitReplays } from "../rabbitmq/replays";
import { signingKey } from "../rabbitmq/signing-key";
import type { Catalogue } from "../schema/catalogue";
import type { ConsumerStores } from "../store/consumer/stores";
import type { Store } from "../store/store";
import { steadyNow } from "../timing/steady-time";
import { type AskQueues, embeddedQueues, knownQueues, rabbitQueues } from "./queue-states";

export interface QueuesOptions {
  readonly config: Pick<Config, "warrenKey" | "dataDir" | "strictTopology">;
  /** Null if RABBITMQ_URL is `none`. */
  readonly broker: Broker | null;
  readonly inspector: QueueInspector | undefined;
  readonly transport: ChosenTransport;
  readonly store: Store;
  readonly relay: Relay;
  /** Called before a queue is bound. */
  readonly lookAt: (queue: string) => Promise<void>;
  readonly catalogue: Catalogue;
  readonly consumers: ConsumerStores;
  readonly log: Log;
  readonly tracing: Tracing;
}

export interface Queues {
  readonly deadLetters: DeadLetters;
  readonly replays: Replays;
  /** Resolves with the states of the queues. */
  readonly ask: AskQueues;
  /** Returns the position that the slowest replay to RabbitMQ has reached. */
  readonly replayed: () => number;
  stop(): void;
}

/** Starts what the service does for consumers' queues, on the transport of this process. */
export async function startQueues(options: QueuesOptions): Promise<Queues> {
  const { config, broker, inspector, transport, store, relay, lookAt, catalogue, consumers, log, tracing } = options;
  const embedded = {
    deadLetters: new EmbeddedDeadLetters(consumers),
    replays: new Replays(new EmbeddedReplays({ ...store.log, logId: store.logId }, consumers)),
    ask: embeddedQueues(store, consumers),
  };
  if (!broker) return { ...embedded, replayed: () => Number.POSITIVE_INFINITY, stop() {} };

  const onRabbitmq = new RabbitReplays({
    ...{ broker, store, relay, catalogue, log, tracing, quarantine: quarantineFolder(config.dataDir) },
    hasLimit: async (queue) => (await inspector?.hasLimit(queue)) ?? false,
  });
  await onRabbitmq.resume();
  const replays = new Replays(onRabbitmq);
  // Also on the embedded transport: consumers may come with a RabbitMQ that appears later.
  const trust = { key: signingKey(config, log), onlySigned: config.strictTopology, refusals: new Refusals(store, log) };
  void broker.keepChannel((channel, closed) =>
    handleAnnouncements(channel, closed, { broker, store, replays, fills: onRabbitmq, lookAt, catalogue, log, ...trust }),
  );
  const stop = { replayed: () => onRabbitmq.position, stop: () => onRabbitmq.stop() };
  if (transport.name === "embedded") return { ...embedded, ...stop };
  const own = async () => (await store.subscriptions.list()).map(({ queue }) => queue);
  const known = async () => knownQueues(catalogue, await own(), await store.retryQueues.list(steadyNow()));
  const names = async () => catalogue.queuesWith(await own());
  return { deadLetters: new RabbitDeadLetters(broker, names), replays, ask: rabbitQueues(broker, known), ...stop };
}
