import { join } from "node:path";
import { Broker } from "../broker/connection";
import { declareDeadQueue, declareOwnQueue, declareResources, declareRetryQueue } from "../broker/topology";
import { type Config, ConfigError, type RabbitmqConfig, readConfig } from "../config";
import { type Catalogue, loadCatalogue, UnknownEventType } from "../domain/catalogue";
import type { resources } from "../domain/catalogue.generated";
import type { Event, EventOf } from "../domain/event";
import { createLog, type Log } from "../observe/logging";
import type { Consumer, HandlerContext } from "./attempt";
import { consumeLog } from "./embedded-consumer";
import { type RetryPolicy, retryPolicy } from "./outcome";
import { consumeFrom, type Subscription } from "./rabbit-consumer";
import { onStopSignal } from "./stop-signal";
import { chooseTransport, type Transport } from "./transport";

export type { HandlerContext } from "./attempt";

type Resources = typeof resources;
/** Every event of every resource. Narrow it by `event.type`. */
export type AnyEvent = EventOf<Resources[keyof Resources]>;
/** An event type, or a pattern over them: `*` stands for one word, `#` for any number. */
export type EventPattern = AnyEvent["type"] | `${string}*` | `*${string}` | "#";
/** The events that a pattern selects. */
export type Matching<Pattern extends EventPattern> = Pattern extends `${infer Name}.${string}`
  ? Name extends keyof Resources
    ? EventOf<Resources[Name]> & { readonly type: Pattern extends AnyEvent["type"] ? Pattern : AnyEvent["type"] }
    : AnyEvent
  : AnyEvent;

export interface ConsumerOptions<Pattern extends EventPattern = EventPattern> {
  /**
   * The durable queue to work on. `<resource>_events` (`item_events`) is the queue that all its consumers share; any
   * other name is this consumer's own queue, which takes no event from anybody. Default: a queue of its own that is
   * temporary, from now until the process ends.
   */
  readonly queue?: string | undefined;
  /** The event types that it wants. Default: all that the queue has. */
  readonly events?: readonly Pattern[] | undefined;
  /** Handles one event. When it throws or rejects, the event is tried again later. */
  readonly handle: (event: Matching<Pattern>, context: HandlerContext) => unknown;
  /** How many messages the broker may send ahead. Default: 64. */
  readonly prefetch?: number;
  /** Default: 5 attempts, after 1, 2, 4 and 8 seconds, each varied by a quarter. */
  readonly retry?: Partial<RetryPolicy>;
  /** Called once, when the consumer receives events. */
  readonly onReady?: (transport: Transport) => void;
}

/** The consumer was asked for something that makes no sense; the message says what would. */
export class ConsumerError extends Error {
  override readonly name = "ConsumerError";
}

/** How long a stop waits for the event in hand. */
const drainTimeoutMs = 8000;

/**
 * Runs a consumer as this process's whole work: reads the configuration, chooses the transport, and handles events
 * until SIGINT or SIGTERM, at which it finishes the event in hand and exits with 0. A second signal exits at once.
 * A mistake in options or environment is printed, and exits with 1.
 */
export async function runConsumer<const Pattern extends EventPattern>(options: ConsumerOptions<Pattern>): Promise<never> {
  try {
    const config = readConfig({ isTerminal: Boolean(process.stderr.isTTY) });
    const log = createLog({ level: config.logLevel, format: config.logFormat, stream: 2 });
    const starting = startConsumer(options, config, log);
    onStopSignal(log, drainTimeoutMs, async () => (await starting).stop());
    await (await starting).ended;
    process.exit(0);
  } catch (error) {
    const known = error instanceof ConfigError || error instanceof ConsumerError || error instanceof UnknownEventType;
    console.error(known ? error.message : error);
    process.exit(1);
  }
}

export interface RunningConsumer {
  readonly transport: Transport;
  /** Fulfils when the consumer has stopped; rejects when it cannot go on. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a consumer inside a process that does other things too.
 *
 * @throws {ConsumerError} when queue and events do not go together.
 * @throws {UnknownEventType} when a pattern selects no event type.
 */
export async function startConsumer<const Pattern extends EventPattern>(
  options: ConsumerOptions<Pattern>,
  config: Config,
  log: Log,
): Promise<RunningConsumer> {
  const catalogue = await loadCatalogue();
  const wanted = wantedTypes(options, catalogue);
  const retry = retryPolicy(options.retry);
  const prefetch = options.prefetch ?? 64;
  if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > 65_535)
    throw new ConsumerError(`prefetch is ${prefetch}; use a whole number from 1 to 65535.`);

  const transport = await chooseTransport(config.rabbitmq);
  let ready = () => {
    ready = () => {};
    options.onReady?.(transport);
  };
  const consumer: Consumer = {
    queue: options.queue ?? `temporary-${Bun.randomUUIDv7()}`,
    temporary: options.queue === undefined,
    wanted,
    catalogue,
    handle: options.handle as (event: Event, context: HandlerContext) => unknown,
    prefetch,
    retry,
    log,
    onReady: () => ready(),
  };
  log.info(
    { transport: transport.name, queue: consumer.queue, events: [...wanted] },
    `Transport: ${transport.name}, because ${transport.reason}`,
  );
  return {
    transport,
    ...(transport.name === "rabbitmq" && config.rabbitmq ? await onRabbitmq(consumer, config.rabbitmq) : onEventLog(consumer, config)),
  };
}

async function onRabbitmq(consumer: Consumer, config: RabbitmqConfig): Promise<Omit<RunningConsumer, "transport">> {
  const { queue, catalogue, log } = consumer;
  const broker = await Broker.connect(config, log);
  const parking = {
    retryQueue: (delayMs: number) => declareRetryQueue(broker, queue, delayMs, log),
    deadQueue: () => declareDeadQueue(broker, queue, log),
  };
  let subscription: Subscription | undefined;
  const ended = broker.keepChannel(async (channel, closed) => {
    const owner = catalogue.ownerOf(queue);
    if (owner) await declareResources(broker, [owner], log);
    else await declareOwnQueue(broker, queue, consumer.wanted, catalogue.resources, consumer, log);
    subscription = await consumeFrom(channel, closed, consumer, parking);
    log.debug({ queue }, "Subscribed");
    consumer.onReady();
    await Promise.race([subscription.cancelled, new Promise((resolve) => closed.addEventListener("abort", resolve, { once: true }))]);
    if (!closed.aborted) log.warn({ queue }, "The queue was deleted under this consumer; it is declared anew");
  });
  return {
    ended,
    async stop() {
      await subscription?.drain();
      await broker.close();
    },
  };
}

function onEventLog(consumer: Consumer, config: Config): Omit<RunningConsumer, "transport"> {
  const stopping = new AbortController();
  const stateFile = join(config.dataDir, "consumers", `${consumer.queue}.db`);
  const ended = consumeLog(consumer, config.databaseFile, stateFile, stopping.signal);
  return {
    ended,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

function wantedTypes(options: Pick<ConsumerOptions, "queue" | "events">, catalogue: Catalogue): ReadonlySet<string> {
  const { queue, events } = options;
  if (queue !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(queue)) {
    throw new ConsumerError(
      `"${queue}" cannot name a queue: use letters, digits, dots, dashes and underscores, at most 200, such as "audit".`,
    );
  }
  if (queue && /\.dead$|\.retry\.\d+$/.test(queue)) {
    throw new ConsumerError(`"${queue}" is where another queue keeps its failed events; name a queue of your own.`);
  }
  if (events?.length === 0) throw new ConsumerError("`events` is empty: leave it out for all events, or name some.");
  const owner = queue === undefined ? undefined : catalogue.ownerOf(queue);
  const wanted = catalogue.select(events ?? (owner ? [`${owner.name}.*`] : ["#"]));
  if (owner && wanted.join() !== owner.eventTypes.join()) {
    throw new ConsumerError(
      `"${queue}" is shared by all consumers of ${owner.name} events, so one of them cannot leave some out, or they would be lost to the others. ` +
        "For a filter, name a queue of your own, which the broker fills with just those events; or name none, for a temporary one.",
    );
  }
  return new Set(wanted);
}
