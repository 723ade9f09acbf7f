import { ChangesServer } from "../changing/serve";
import type { Config } from "../config/config";
import { shownSettings } from "../config/settings";
import type { BrokerState } from "../delivery/broker-state";
import { DeadLetterJobs } from "../delivery/dead-letter-jobs";
import type { ChosenTransport } from "../delivery/transport";
import { storesFor } from "../http/request-store";
import type { Log } from "../observe/logging";
import { Metrics } from "../observe/metrics";
import { describeProcess } from "../observe/process-metrics";
import { Distribution, workSeconds } from "../observe/tally";
import { noTracing, type Tracing } from "../observe/tracing";
import { describeBroker } from "../rabbitmq/broker-metrics";
import { chooseTransport } from "../rabbitmq/choose-transport";
import { Broker } from "../rabbitmq/connection";
import { QueueInspector } from "../rabbitmq/queue-inspection";
import { describeRelay } from "../rabbitmq/relay-metrics";
import { startRelaying } from "../rabbitmq/relaying";
import { ReportListener } from "../rabbitmq/reports";
import { signingKey } from "../rabbitmq/signing-key";
import type { Dependencies } from "../routing/route";
import type { Catalogue } from "../schema/catalogue";
import { ConsumerReports } from "../status/consumer-reports";
import { LiveStatus } from "../status/live-status";
import { topologyOf } from "../status/topology";
import { warnOfClock } from "../store/clock-warning";
import { warnOfExposed } from "../store/exposed-files";
import { consumerStores, fileOfApi, openStore } from "../store/open";
import { warnOfProblems } from "../store/problem-warning";
import { warnOfReplaced } from "../store/replaced-warning";
import { describeStore } from "../store/store-metrics";
import { atMost } from "../timing/pause";
import { describeQueues } from "./queue-metrics";
import { startQueues } from "./queues";
import { queueRemover } from "./remove-queue";
import { keepRetention } from "./retention";
import { keepSchedules } from "./schedules";
import { checkStoredRecords } from "./stored-records";
import { findTimeline } from "./timelines";
import { describeTimers } from "./timer-metrics";
import { keepTimers } from "./timers";

const confirmsTimeoutMs = 3000;
const endingTimeoutMs = 1000;

export interface EngineOptions {
  readonly tracing?: Tracing;
  /** Duration in seconds above which commits move to a thread of their own. Default: all commits run on this thread. */
  readonly quickCommitSeconds?: number;
  /** Reaction to stored records that do not match their schema: `refuse` to start, or `warn`. Default: `refuse`. */
  readonly onInvalidRecords?: "refuse" | "warn";
}

export interface Engine {
  /** Dependencies of the routes. */
  readonly dependencies: Omit<Dependencies, "stopping" | "clientOf" | "project">;
  /** Slows down no request any more, since the service is about to stop. */
  hurry(): void;
  /** Waits for the confirms of events that were sent, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts everything behind the HTTP API: the store, the relay to RabbitMQ, and the services for consumers' queues.
 *
 * @throws {Error} if the database cannot be opened, or if stored records are refused. The message says how to fix it.
 */
export async function startEngine(
  config: Config,
  catalogue: Catalogue,
  log: Log,
  { tracing = noTracing, quickCommitSeconds, onInvalidRecords = "refuse" }: EngineOptions = {},
): Promise<Engine> {
  const { resources } = catalogue;
  const store = await openStore(config, resources, {
    tracing,
    quickCommitSeconds,
    onBuilt: (what, records) => log.info({ records }, `${what} is new or has changed; reading the stored records: ${records} so far`),
  });
  warnOfExposed(config, log);
  await warnOfClock(store.log, log);
  try {
    await checkStoredRecords(store, onInvalidRecords, log);
  } catch (error) {
    await store.close();
    throw error;
  }
  const stopLooking = [warnOfReplaced(store, config.database.shown, log), warnOfProblems(store, log)];
  const transport = await chooseTransport(config);
  log.info({ transport: transport.name, database: config.database.shown }, `Transport: ${transport.name}, because ${transport.reason}`);

  const broker = config.rabbitmq && (await Broker.connect(config.rabbitmq, log, { expected: transport.name === "rabbitmq" }));
  const inspector = broker && config.rabbitmq ? new QueueInspector(broker, config.rabbitmq, log) : undefined;
  const {
    relay,
    conversions,
    problems,
    lookAt,
    ended: relaying,
  } = await startRelaying({
    ...{ broker, inspector, config, store, catalogue, log, tracing },
  });
  const consumers = consumerStores(config);
  const queues = await startQueues({
    ...{ config, broker, inspector, transport, store, relay, conversions, lookAt, catalogue, consumers, log, tracing },
  });
  // With RABBITMQ_URL=none, nothing is relayed, so pruning does not wait for it. With it unset, a RabbitMQ that appears
  // later gets the whole log.
  const retention = keepRetention({ config, store, isRelayed: broker !== null, consumers, log });

  const timers = keepTimers(store, log);
  const schedules = keepSchedules(store, log);

  const onRabbitmq = { deadLetters: queues.deadLetters, catalogue, subscriptions: () => store.subscriptions.list() };
  const timelines = { store, consumers, rabbitmq: transport.name === "rabbitmq" ? onRabbitmq : undefined };

  // Last, so that nothing that fails before it leaves it behind. With PostgreSQL, processes change records themselves.
  const file = fileOfApi(config);
  const changes = file === undefined ? undefined : new ChangesServer(store, resources, file);

  const metrics = new Metrics(log);
  describeProcess(metrics);
  describeStore(metrics, store);
  describeTimers(metrics, store.timers);
  describeQueues(metrics, queues.ask);
  if (broker && transport.name === "rabbitmq") {
    describeRelay(metrics, relay, store.log);
    describeBroker(metrics, [broker]);
  }

  const deadLetterJobs = new DeadLetterJobs(queues.deadLetters, store.peers);
  const onBroker = transport.name === "rabbitmq" ? (broker ?? undefined) : undefined;
  const sources = { config, broker: onBroker, consumers, transport, catalogue, isServed: async () => true };
  const reports = new ConsumerReports(consumers, store.peers);
  const status = new LiveStatus({
    sources,
    reports,
    listener:
      onBroker &&
      new ReportListener(
        onBroker,
        () => signingKey(config, log),
        (text) => reports.take(text),
        log,
      ),
    store,
    confirmed: onBroker && (() => relay.position()),
    confirmSeconds: onBroker && relay.tally.seconds,
    changeSeconds: new Distribution(workSeconds),
  });

  return {
    dependencies: {
      metrics,
      log,
      system: store,
      storeFor: storesFor(store, relay.pace),
      catalogue,
      deadLetters: queues.deadLetters,
      deadLetterJobs,
      replays: queues.replays,
      timeline: (id, isVisible) => findTimeline(timelines, id, isVisible),
      status,
      topology: () => topologyOf(sources, store),
      removeQueue: queueRemover({ broker: onBroker, config, store, consumers, catalogue, ask: queues.ask, log }),
      settings: () => shownSettings(config),
      relay: async () => ({
        transport: transport.name,
        broker: brokerState(broker, transport),
        node: broker?.node ?? null,
        isRunning: relay.isRunning,
        position: await relay.position(),
        problems: await problems(),
      }),
    },
    hurry: () => relay.pace.end(),
    async stop() {
      for (const stop of stopLooking) stop();
      status.close();
      await deadLetterJobs.close();
      await changes?.stop();
      queues.stop();
      const retaining = Promise.all([retention.stop(), timers.stop(), schedules.stop()]);
      // An unreachable or blocked broker sends no confirms. Events that wait are sent after the next start.
      await relay.stop(broker?.state === "connected" ? confirmsTimeoutMs : 0);
      await broker?.close();
      // What waits for a database that does not answer ends with the store.
      await atMost(endingTimeoutMs, Promise.all([relaying, queues.ended, retaining]));
      await consumers.close();
      await store.close();
    },
  };
}

/** Returns `off` for an unreachable RabbitMQ that is not expected, although the service keeps trying to connect. */
function brokerState(broker: Broker | null, transport: ChosenTransport): BrokerState {
  if (!broker || (transport.name === "embedded" && broker.state === "connecting")) return "off";
  return broker.state;
}
