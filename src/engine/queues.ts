import type { Config } from "../config/config";
import type { DeadLetters } from "../delivery/dead-letters";
import { Replays } from "../delivery/replays";
import type { ChosenTransport } from "../delivery/transport";
import { EmbeddedDeadLetters } from "../embedded/dead-letters";
import { EmbeddedReplays } from "../embedded/replays";
import type { Log } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import type { Broker } from "../rabbitmq/connection";
import type { Conversions } from "../rabbitmq/conversions";
import { RabbitDeadLetters } from "../rabbitmq/dead-letters";
import { handleAnnouncements } from "../rabbitmq/handle-announcements";
import { quarantineFolder } from "../rabbitmq/quarantine";
import type { QueueInspector } from "../rabbitmq/queue-inspection";
import { Refusals } from "../rabbitmq/refusals";
import type { Relay } from "../rabbitmq/relay";
import { RabbitReplays } from "../rabbitmq/replays";
import { signingKey } from "../rabbitmq/signing-key";
import type { Catalogue } from "../schema/catalogue";
import { type AskQueues, embeddedQueues, knownQueues, rabbitQueues } from "../status/queue-states";
import type { ConsumerStores } from "../store/consumer/stores";
import type { Store } from "../store/store";
import { steadyNow } from "../timing/clock";

export interface QueuesOptions {
  readonly config: Pick<Config, "warrenKey" | "dataDir" | "strictTopology">;
  /** Null if RABBITMQ_URL is `none`. */
  readonly broker: Broker | null;
  readonly inspector: QueueInspector | undefined;
  readonly transport: ChosenTransport;
  readonly store: Store;
  readonly relay: Relay;
  readonly conversions: Conversions | undefined;
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
  /** Makes the replays of the service no longer. */
  stop(): void;
  /** Resolves when the broker is closed. */
  readonly ended: Promise<void>;
}

/** Starts what the service does for consumers' queues, on the transport of this process. */
export async function startQueues(options: QueuesOptions): Promise<Queues> {
  const { config, broker, inspector, transport, store, relay, conversions, lookAt, catalogue, consumers, log, tracing } = options;
  const embedded = {
    deadLetters: new EmbeddedDeadLetters(consumers),
    replays: new Replays(new EmbeddedReplays({ ...store.log, logId: store.logId }, consumers)),
    ask: embeddedQueues(store, consumers),
  };
  if (!broker || !conversions) return { ...embedded, stop() {}, ended: Promise.resolve() };

  const onRabbitmq = new RabbitReplays({
    ...{ broker, store, relay, catalogue, log, tracing, quarantine: quarantineFolder(config.dataDir) },
    hasLimit: async (queue) => (await inspector?.hasLimit(queue)) ?? false,
  });
  const replays = new Replays(onRabbitmq);
  const trust = { key: signingKey(config, log), onlySigned: config.strictTopology, refusals: new Refusals(store, log) };
  const announcements = { broker, store, replays, fills: onRabbitmq, conversions, lookAt, catalogue, log, ...trust };
  const stopping = new AbortController();
  // Also on the embedded transport: consumers may come with a RabbitMQ that appears later.
  const ended = broker.keepChannel(
    (channel, closed) =>
      store.lead("relay", AbortSignal.any([closed, stopping.signal]), async (leadership) => {
        const failed = new AbortController();
        const replaying = onRabbitmq.run({ ...leadership, until: AbortSignal.any([leadership.until, failed.signal]) });
        await handleAnnouncements(channel, leadership, announcements).finally(() => failed.abort());
        await replaying;
      }),
    stopping.signal,
  );
  const stop = { ended, stop: () => stopping.abort() };
  if (transport.name === "embedded") return { ...embedded, ...stop };
  const own = async () => (await store.subscriptions.list()).map(({ queue }) => queue);
  const known = async () => knownQueues(catalogue, await own(), await store.retryQueues.list(steadyNow()));
  const names = async () => catalogue.queuesWith(await own());
  return { deadLetters: new RabbitDeadLetters(broker, names), replays, ask: rabbitQueues(broker, known), ...stop };
}
