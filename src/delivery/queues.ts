import type { Broker } from "../broker/connection";
import type { Config } from "../config";
import type { Catalogue } from "../domain/catalogue";
import type { Log } from "../observe/logging";
import type { Tracing } from "../observe/tracing";
import { steadyNow } from "../store/steady-time";
import type { Store } from "../store/store";
import type { DeadLetters } from "./dead-letters";
import { EmbeddedDeadLetters } from "./embedded-dead-letters";
import { EmbeddedReplays } from "./embedded-replays";
import { type AskQueues, embeddedQueues, knownQueues, rabbitQueues } from "./queue-states";
import { RabbitDeadLetters } from "./rabbit-dead-letters";
import { RabbitReplays } from "./rabbit-replays";
import { Refusals } from "./refusals";
import type { Relay } from "./relay";
import type { Replays } from "./replays";
import { signingKey } from "./signing-key";
import { serveSubscriptions } from "./subscriptions";
import type { Transport } from "./transport";

export interface QueuesOptions {
  readonly config: Pick<Config, "warrenKey" | "dataDir" | "strictTopology">;
  /** Null: RABBITMQ_URL is `none`. */
  readonly broker: Broker | null;
  readonly transport: Transport;
  readonly store: Store;
  readonly relay: Relay;
  readonly catalogue: Catalogue;
  readonly consumersDir: string;
  readonly log: Log;
  readonly tracing: Tracing;
}

export interface Queues {
  readonly deadLetters: DeadLetters;
  readonly replays: Replays;
  /** How things stand with the queues. */
  readonly ask: AskQueues;
  /** The position that the slowest replay to RabbitMQ has reached. */
  readonly replayed: () => number;
  stop(): void;
}

/** What the service does for consumers' queues, on the transport that this process uses. */
export async function serveQueues(options: QueuesOptions): Promise<Queues> {
  const { config, broker, transport, store, relay, catalogue, consumersDir, log, tracing } = options;
  const embedded = {
    deadLetters: new EmbeddedDeadLetters(consumersDir),
    replays: new EmbeddedReplays({ ...store.log, logId: store.logId }, consumersDir),
    ask: embeddedQueues(store, consumersDir),
  };
  if (!broker) return { ...embedded, replayed: () => Number.POSITIVE_INFINITY, stop() {} };

  const replays = new RabbitReplays({ broker, store, relay, catalogue, log, tracing });
  await replays.resume();
  // Also where the embedded transport was chosen: a RabbitMQ that appears later may have consumers that come with it.
  const trust = { key: signingKey(config, log), onlySigned: config.strictTopology, refusals: new Refusals(store, log) };
  void broker.keepChannel((channel, closed) => serveSubscriptions(channel, closed, { broker, store, replays, catalogue, log, ...trust }));
  const stop = { replayed: () => replays.position, stop: () => replays.stop() };
  if (transport.name === "embedded") return { ...embedded, ...stop };
  const known = async () => {
    const own = (await store.subscriptions.list()).map(({ queue }) => queue);
    return knownQueues(catalogue, own, await store.retryQueues.list(steadyNow()));
  };
  const names = async () => (await known()).map(({ queue }) => queue);
  return { deadLetters: new RabbitDeadLetters(broker, names), replays, ask: rabbitQueues(broker, known), ...stop };
}
