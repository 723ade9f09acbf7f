import { join } from "node:path";
import type { Config } from "../config/config";
import type { BrokerState } from "../delivery/broker-state";
import type { Transport } from "../delivery/transport-name";
import type { Log } from "../observe/logging";
import { Metrics } from "../observe/metrics";
import { describeProcess } from "../observe/process-metrics";
import { noTracing, type Tracing } from "../observe/tracing";
import { describeBroker } from "../rabbitmq/broker-metrics";
import { chooseTransport } from "../rabbitmq/choose-transport";
import { Broker } from "../rabbitmq/connection";
import { QueueInspector } from "../rabbitmq/queue-inspection";
import { describeRelay } from "../rabbitmq/relay-metrics";
import { startRelaying } from "../rabbitmq/relaying";
import type { Dependencies } from "../routing/route";
import type { Catalogue } from "../schema/catalogue";
import { warnOfReplaced } from "../store/replaced-warning";
import { warnOfClock } from "../store/sqlite/commit-clock";
import { whenUnlocked } from "../store/sqlite/lock-wait";
import { warnOfExposed } from "../store/sqlite/private-file";
import { openSqliteStore } from "../store/sqlite/store";
import { describeStore } from "../store/store-metrics";
import { describeQueues } from "./queue-metrics";
import { serveQueues } from "./queues";
import { keepRetention } from "./retention";
import { checkStoredRecords } from "./stored-records";
import { findTimeline } from "./timelines";

const confirmsTimeoutMs = 3000;

export interface EngineOptions {
  readonly tracing?: Tracing;
  /** Commits that take longer, in seconds, move to a thread of their own. Default: all are made on this one. */
  readonly quickCommitSeconds?: number;
  /** What to do when stored records are not valid by their schema. Default: `refuse`, to start. */
  readonly onInvalidRecords?: "refuse" | "warn";
}

export interface Engine {
  /** What the routes stand on. */
  readonly dependencies: Omit<Dependencies, "stopping" | "clientOf">;
  /** Waits for the confirms of what was sent, then closes. */
  stop(): Promise<void>;
}

/**
 * Everything behind the HTTP API: the store, the relay to RabbitMQ, and what is done for consumers' queues.
 *
 * @throws {Error} when the database cannot be opened; the message says what would be right.
 */
export async function startEngine(
  config: Config,
  catalogue: Catalogue,
  log: Log,
  { tracing = noTracing, quickCommitSeconds, onInvalidRecords = "refuse" }: EngineOptions = {},
): Promise<Engine> {
  const { resources } = catalogue;
  const store = await whenUnlocked(() => openSqliteStore(config.databaseFile, resources, { tracing, quickCommitSeconds }));
  warnOfExposed(config, log);
  await warnOfClock(store.log, log);
  try {
    await checkStoredRecords(store, onInvalidRecords, log);
  } catch (error) {
    await store.close();
    throw error;
  }
  const stopLooking = warnOfReplaced(store, config.databaseFile, log);
  const transport = await chooseTransport(config.rabbitmq);
  log.info({ transport: transport.name, database: config.databaseFile }, `Transport: ${transport.name}, because ${transport.reason}`);

  const broker = config.rabbitmq && (await Broker.connect(config.rabbitmq, log, { expected: transport.name === "rabbitmq" }));
  const inspector = broker && config.rabbitmq ? new QueueInspector(broker, config.rabbitmq, log) : undefined;
  const { relay, problems, ended: relaying } = await startRelaying({ broker, inspector, config, store, catalogue, log, tracing });
  const consumersDir = join(config.dataDir, "consumers");
  const queues = await serveQueues({ config, broker, transport, store, relay, catalogue, consumersDir, log, tracing });
  // With RABBITMQ_URL=none nothing is ever relayed; with it unset, a RabbitMQ that appears later gets the whole log.
  const relayed = broker ? relay : { position: Number.POSITIVE_INFINITY };
  const retention = keepRetention({ config, store, relay: relayed, replayed: queues.replayed, consumersDir, log });

  const onRabbitmq = { deadLetters: queues.deadLetters, catalogue, subscriptions: () => store.subscriptions.list() };
  const timelines = { store, folder: consumersDir, rabbitmq: transport.name === "rabbitmq" ? onRabbitmq : undefined };

  const metrics = new Metrics(log);
  describeProcess(metrics);
  describeStore(metrics, store);
  describeQueues(metrics, queues.ask);
  if (broker && transport.name === "rabbitmq") {
    describeRelay(metrics, relay, store.log);
    describeBroker(metrics, [broker]);
  }

  return {
    dependencies: {
      metrics,
      log,
      store,
      catalogue,
      deadLetters: queues.deadLetters,
      replays: queues.replays,
      timeline: (id) => findTimeline(timelines, id),
      relay: () => ({ transport: transport.name, broker: brokerState(broker, transport), position: relay.position, problems: problems() }),
    },
    async stop() {
      stopLooking();
      retention.stop();
      queues.stop();
      // No confirm comes from a broker that is away or blocked; what waits is sent after the next start.
      await relay.stop(broker?.state === "connected" ? confirmsTimeoutMs : 0);
      await broker?.close();
      await relaying;
      await store.close();
    },
  };
}

/** Where no RabbitMQ is expected, one that is not there is `off`, though it is looked for in case it appears. */
function brokerState(broker: Broker | null, transport: Transport): BrokerState {
  if (!broker || (transport.name === "embedded" && broker.state === "connecting")) return "off";
  return broker.state;
}
