import { changingIn } from "../changing/open";
import type { Config } from "../config/config";
import type { RabbitmqConfig } from "../config/rabbitmq";
import type { AskedTypes, EventPattern, NewestTypes } from "../delivery/consumed-events";
import { ConsumerError } from "../delivery/consumer-error";
import { type Consumer, type ConsumerOptions, resolveConsumer } from "../delivery/consumer-options";
import type { ConsumerReport, WebhookReport } from "../delivery/consumer-report";
import { LazyStore } from "../delivery/lazy-store";
import type { RunningConsumer, Stage } from "../delivery/running";
import { watchStore } from "../delivery/watch-store";
import { whenReachable } from "../delivery/when-reachable";
import { Worker } from "../delivery/worker";
import type { EmbeddedConsumer } from "../embedded/consume";
import { consumeLog } from "../embedded/start";
import type { Log } from "../observe/logging";
import { noTracing } from "../observe/tracing";
import { loadCatalogue } from "../project/resources";
import { Announcer } from "../rabbitmq/announcer";
import { attachQueue } from "../rabbitmq/attach-queue";
import { chooseTransport } from "../rabbitmq/choose-transport";
import { Broker } from "../rabbitmq/connection";
import { type ChannelSubscription, consumeFrom } from "../rabbitmq/consume";
import { FormerSubscription } from "../rabbitmq/former-subscription";
import { Interrupted } from "../rabbitmq/interrupted";
import { parkingOf } from "../rabbitmq/parking";
import { quarantineFolder } from "../rabbitmq/quarantine";
import { QueueInspector } from "../rabbitmq/queue-inspection";
import { QueueSetup } from "../rabbitmq/queue-setup";
import { sendReport } from "../rabbitmq/reports";
import { signingKey } from "../rabbitmq/signing-key";
import { warnOfExposed } from "../store/exposed-files";
import { consumerStores } from "../store/open";
import { aborted } from "../timing/pause";
import { KeptSchedule } from "./keep-schedule";
import { keepReporting } from "./reporting";

/**
 * Starts a consumer inside a process that also does other work.
 *
 * @param webhook for the consumer of a webhook's subscription: what it reports about its subscriber.
 * @throws {ConsumerError} for invalid options.
 * @throws {UnknownEventType} if a pattern matches no event type.
 */
export async function startConsumer<const Pattern extends EventPattern, const Asked extends AskedTypes = NewestTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  config: Config,
  log: Log,
  tracing = noTracing,
  webhook?: () => WebhookReport,
): Promise<RunningConsumer> {
  let ready = () => {};
  const catalogue = await loadCatalogue();
  const changing = changingIn(config, catalogue.resources);
  const consumer = resolveConsumer(options, catalogue, log, () => ready(), tracing, changing.engine);
  warnOfExposed(config, log);
  const transport = await chooseTransport(config);
  const schedule = consumer.schedule && new KeptSchedule(consumer, changing.announce);
  let isReady = false;
  ready = () => {
    const tell = () => {
      if (!isReady) options.onReady?.(transport);
      isReady = true;
    };
    if (schedule) void schedule.begin().then((isThere) => isThere && tell());
    else tell();
  };
  log.info(
    { transport: transport.name, queue: consumer.queue, events: [...consumer.wanted] },
    `Transport: ${transport.name}, because ${transport.reason}`,
  );
  const running =
    transport.name === "rabbitmq" && config.rabbitmq ? await onRabbitmq(consumer, config, config.rabbitmq) : onEventLog(consumer, config);
  const endReports = consumer.temporary ? async () => {} : keepReporting({ ...running, webhook }, running.report, log);
  return {
    transport,
    ...running,
    ...(running.rests && { rests: () => Promise.all([schedule?.announced, running.rests?.()]).then(() => {}) }),
    ended: running.ended.finally(() => {
      schedule?.stop();
      void endReports();
      return changing.close();
    }),
    async stop() {
      schedule?.stop();
      await endReports();
      await running.stop();
      await changing.close();
    },
  };
}

interface Started extends Omit<RunningConsumer, "transport"> {
  /** Sends a report of this consumer to the API. */
  readonly report: (report: ConsumerReport) => Promise<void>;
}

async function onRabbitmq(consumer: Consumer, config: Config, rabbitmq: RabbitmqConfig): Promise<Started> {
  const { queue, log } = consumer;
  const consumers = consumerStores(config);
  const store = new LazyStore(consumer, consumers, { durable: consumer.exactlyOnce });
  // Fails at the start, and not at the first event, if `setup` has a mistake.
  if (consumer.exactlyOnce) await whenReachable(consumer, store.open);
  const endWatch = consumer.exactlyOnce ? watchStore(consumer, store.open) : () => {};
  // Writes to a removed file would be lost.
  const worker = new Worker(consumer, store.renew);
  const key = consumer.temporary ? null : signingKey(config, log);
  const broker = await Broker.connect(rabbitmq, log);
  const announcer = new Announcer(broker, key, log);
  const quarantine = quarantineFolder(config.dataDir);
  const parking = parkingOf(broker, announcer, consumer, quarantine);
  const interrupted = new Interrupted();
  let subscription: ChannelSubscription | undefined;
  let stage: Stage = "waiting";
  const setup = new QueueSetup(new QueueInspector(broker, rabbitmq, log), consumer, config.strictTopology);
  const former = new FormerSubscription(broker, queue, log);
  const refused = new AbortController();
  const running = broker.keepChannel(async (channel, closed) => {
    await attachQueue(broker, announcer, closed, consumer);
    if (closed.aborted) return;
    try {
      await setup.check();
    } catch (error) {
      if (!(error instanceof ConsumerError)) throw error;
      return refused.abort(error);
    }
    await former.ended(setup.isQuorum, closed);
    if (closed.aborted) return;
    const subscribed = await consumeFrom(channel, closed, worker, parking, interrupted, setup.mostRequeues);
    subscription = subscribed;
    log.debug({ queue }, "Subscribed");
    stage = "consuming";
    consumer.onReady();
    if (!consumer.temporary) void former.count(() => subscribed.isSubscribed, closed);
    await Promise.race([subscribed.cancelled, aborted(closed)]);
    stage = "waiting";
    if (closed.aborted) former.lost(subscribed.holdsEvents);
    else {
      former.forget();
      log.warn({ queue }, "The queue was deleted; redeclaring it");
    }
  }, refused.signal);
  return {
    worker,
    broker,
    report: (report) => sendReport(broker, key, report),
    quarantine,
    stage: () => stage,
    problems: () => setup.problems,
    counts: worker.tally.counts,
    ended: running.finally(endWatch).then(() => {
      if (refused.signal.aborted) throw refused.signal.reason;
    }),
    async stop() {
      endWatch();
      await (subscription ? subscription.drain() : worker.drain());
      await broker.close();
      await store.close();
      await consumers.close();
    },
  };
}

function onEventLog(consumer: Consumer, config: Config): Started {
  const stopping = new AbortController();
  // A power failure undoes its commits in order, including the position, so `synchronous = FULL` would gain nothing.
  const consumers = consumerStores(config);
  const store = new LazyStore(consumer, consumers, { durable: false });
  const worker = new Worker(consumer, store.open);
  let stage: Stage = "waiting";
  let running: EmbeddedConsumer | undefined;
  const consuming = consumeLog(
    ...([worker, config, consumers, store, stopping.signal] as const),
    (reached) => {
      stage = reached;
    },
    (started) => {
      running = started;
    },
  );
  const ended = consuming.finally(() => consumers.close());
  return {
    worker,
    report: (report) => consumers.report(consumer.queue, JSON.stringify(report)),
    broker: undefined,
    stage: () => stage,
    counts: worker.tally.counts,
    rests: async () => {
      // A consumer that stands by handles nothing.
      if (stage === "consuming") await Promise.race([running?.rests(), ended]);
    },
    ended,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
