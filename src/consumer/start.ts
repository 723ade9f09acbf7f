import { basename } from "node:path";
import { type Config, ConfigError, type RabbitmqConfig, readConfig } from "../config/config";
import type { AskedTypes, EventPattern, NewestTypes } from "../delivery/consumed-events";
import { type Consumer, ConsumerError, type ConsumerOptions, resolveConsumer } from "../delivery/consumer-options";
import { fileOf, lazyFile } from "../delivery/lazy-file";
import type { RunningConsumer, Stage } from "../delivery/running";
import { Worker } from "../delivery/worker";
import { consumeLog } from "../embedded/start";
import { createLog, type Log } from "../observe/logging";
import { startTracing } from "../observe/start-tracing";
import { tell } from "../observe/terminal";
import { noTracing } from "../observe/tracing";
import { loadCatalogue } from "../project/resources";
import { Announcer } from "../rabbitmq/announcer";
import { attachQueue } from "../rabbitmq/attach-queue";
import { chooseTransport } from "../rabbitmq/choose-transport";
import { Broker } from "../rabbitmq/connection";
import { type ChannelSubscription, consumeFrom } from "../rabbitmq/consume";
import { Interrupted } from "../rabbitmq/interrupted";
import { parkingOf } from "../rabbitmq/parking";
import { quarantineFolder } from "../rabbitmq/quarantine";
import { QueueInspector } from "../rabbitmq/queue-inspection";
import { QueueSetup } from "../rabbitmq/queue-setup";
import { signingKey } from "../rabbitmq/signing-key";
import { UnknownEventType } from "../schema/catalogue";
import { warnOfExposed } from "../store/exposed-files";
import { whenUnlocked } from "../store/lock-wait";
import { aborted } from "../timing/pause";
import { onStopSignal } from "../timing/stop-signal";
import { areLookedAt, type DescribedConsumer } from "./describe-only";
import { helpOf, readFlags, type ServerFlags } from "./flags";
import { serveConsumers, servings } from "./serve";

/** Maximum time that a stop waits for events in progress, in milliseconds. */
export const drainTimeoutMs = 8000;

/**
 * Runs a consumer as the whole work of this process: reads the configuration, chooses the transport, and handles events
 * until SIGINT or SIGTERM. Then it finishes the events in progress and exits with code 0. A second signal exits at once. An
 * error, such as invalid options or environment variables, is printed, and the process exits with code 1.
 *
 * @param flags result of `readFlags`, for a consumer with flags of its own. Default: reads the command line here.
 * `--metrics-port N` and `--health-port N` serve metrics and health, `--help` prints the help, anything else is refused.
 */
export async function runConsumer<const Pattern extends EventPattern, const Asked extends AskedTypes = NewestTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  flags?: ServerFlags,
): Promise<never> {
  if (areLookedAt([options])) return new Promise<never>(() => {});
  try {
    const { served, config, log, tracing } = prepare([options], flags);
    const starting = tracing.then((started) => startConsumer(options, config, log, started));
    onStopSignal(log, drainTimeoutMs, async () => {
      await (await starting).stop();
      await (await tracing).stop();
    });
    const running = await starting;
    for (const serving of served) serveConsumers(serving, [running], log);
    await running.ended;
    await (await tracing).stop();
    process.exit(0);
  } catch (error) {
    tellMistake(error);
    process.exit(1);
  }
}

/** Reads what a process needs before it starts these consumers: its flags and its configuration. */
export function prepare(consumers: readonly DescribedConsumer[], flags: ServerFlags | undefined) {
  const served = servings(flags ?? readFlags(helpOf(consumers), {}));
  const config = readConfig({ isTerminal: Boolean(process.stderr.isTTY), listens: false });
  const log = createLog({ level: config.logLevel, format: config.logFormat, stream: 2 });
  return { served, config, log, tracing: startTracing(config, serviceName(), log) };
}

/** Prints the message of a mistake in options or the environment, and any other error with its stack. */
export function tellMistake(error: unknown): void {
  const known = error instanceof ConfigError || error instanceof ConsumerError || error instanceof UnknownEventType;
  tell(known ? error.message : Bun.inspect(error));
}

/** Returns the service name of this process, such as `warren-logger` for consumers/logger.ts. */
export function serviceName(): string {
  return `warren-${basename(Bun.main, ".ts")}`;
}

/**
 * Starts a consumer inside a process that also does other work.
 *
 * @throws {ConsumerError} for invalid options.
 * @throws {UnknownEventType} if a pattern matches no event type.
 */
export async function startConsumer<const Pattern extends EventPattern, const Asked extends AskedTypes = NewestTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  config: Config,
  log: Log,
  tracing = noTracing,
): Promise<RunningConsumer> {
  let ready = () => {};
  const consumer = resolveConsumer(options, await loadCatalogue(), log, () => ready(), tracing);
  warnOfExposed(config, log);
  const transport = await chooseTransport(config.rabbitmq);
  ready = () => {
    ready = () => {};
    options.onReady?.(transport);
  };
  log.info(
    { transport: transport.name, queue: consumer.queue, events: [...consumer.wanted] },
    `Transport: ${transport.name}, because ${transport.reason}`,
  );
  return {
    transport,
    ...(transport.name === "rabbitmq" && config.rabbitmq
      ? await onRabbitmq(consumer, config, config.rabbitmq)
      : onEventLog(consumer, config)),
  };
}

async function onRabbitmq(consumer: Consumer, config: Config, rabbitmq: RabbitmqConfig): Promise<Omit<RunningConsumer, "transport">> {
  const { queue, log } = consumer;
  const file = lazyFile(consumer, fileOf(consumer, config), { durable: consumer.exactlyOnce });
  // Fails at the start, and not at the first event, if `setup` has a mistake.
  if (consumer.exactlyOnce) await whenUnlocked(file.open);
  // Writes to a removed file would be lost.
  const worker = new Worker(consumer, file.renew);
  const key = consumer.temporary ? null : signingKey(config, log);
  const broker = await Broker.connect(rabbitmq, log);
  const announcer = new Announcer(broker, rabbitmq.url, key, log);
  const quarantine = quarantineFolder(config.dataDir);
  const parking = parkingOf(broker, announcer, consumer, quarantine);
  const interrupted = new Interrupted();
  let subscription: ChannelSubscription | undefined;
  let stage: Stage = "waiting";
  const setup = new QueueSetup(new QueueInspector(broker, rabbitmq, log), consumer, config.strictTopology);
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
    subscription = await consumeFrom(channel, closed, worker, parking, interrupted);
    log.debug({ queue }, "Subscribed");
    stage = "consuming";
    consumer.onReady();
    await Promise.race([subscription.cancelled, aborted(closed)]);
    stage = "waiting";
    if (!closed.aborted) log.warn({ queue }, "The queue was deleted under this consumer; it is declared anew");
  }, refused.signal);
  return {
    worker,
    broker,
    quarantine,
    stage: () => stage,
    problems: () => setup.problems,
    counts: worker.tally.counts,
    ended: running.then(() => {
      if (refused.signal.aborted) throw refused.signal.reason;
    }),
    async stop() {
      await (subscription ? subscription.drain() : worker.drain());
      await broker.close();
      file.close();
    },
  };
}

function onEventLog(consumer: Consumer, config: Config): Omit<RunningConsumer, "transport"> {
  const stopping = new AbortController();
  // A power failure undoes its commits in order, including the position, so `synchronous = FULL` would gain nothing.
  const file = lazyFile(consumer, consumer.temporary ? ":memory:" : fileOf(consumer, config), { durable: false });
  const worker = new Worker(consumer, file.open);
  let stage: Stage = "waiting";
  const ended = consumeLog(worker, config, `${fileOf(consumer, config)}.lock`, file, stopping.signal, (now) => {
    stage = now;
  });
  return {
    worker,
    broker: undefined,
    stage: () => stage,
    counts: worker.tally.counts,
    ended,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
