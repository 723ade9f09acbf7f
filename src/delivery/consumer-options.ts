import type { Log } from "../observe/logging";
import { noTracing, type Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import type { AskedVersions } from "../schema/event";
import { newestVersion } from "../schema/event-type";
import { isTime } from "../schema/time";
import type { Transaction } from "../store/consumer/file";
import { type BreakerPolicy, breakerPolicy } from "./breaker";
import type { AskedTypes, EventPattern, Matching, NewestTypes } from "./consumed-events";
import type { AnyBatchHandler, AnyHandler, ExactlyOnceContext, HandlerContext } from "./context";
import { type RetryPolicy, retryPolicy } from "./retry-policy";
import type { Transport } from "./transport-name";

interface CommonOptions<Pattern extends EventPattern, Asked extends AskedTypes> {
  /**
   * The durable queue to work on. `<resource>_events` (`item_events`) is the queue that all its consumers share; any
   * other name is this consumer's own queue, which takes no event from anybody. Default: a queue of its own that is
   * temporary, from now until the process ends.
   */
  readonly queue?: string | undefined;
  /** The event types that it wants. Default: all that the queue has. */
  readonly events?: readonly Pattern[] | undefined;
  /** Older versions of event types that it still works with: `{ "item.created": 1 }`. Default: the newest of each. */
  readonly versions?: Asked;
  /** What it does, for the documentation at `/asyncapi`. */
  readonly description?: string;
  /**
   * Where a durable queue of one's own begins when it is new: with the first event in the log, with the next one, or
   * with the first from a time on. Default: `beginning`.
   */
  readonly startFrom?: "beginning" | "now" | Date;
  /** How many events are fetched ahead, from 1 to 65,535. Default: 64; with `exactlyOnce` 256; for batches twice their size. */
  readonly prefetch?: number;
  /** How many events are handled at the same time; those of one item never are. Default: 1. */
  readonly concurrency?: number;
  /** How many events are handled in a second, at most. Default: no limit. */
  readonly ratePerSecond?: number;
  /** How long a handler may take, in milliseconds; longer counts as a failure. Default: 30,000; at most 25 minutes. */
  readonly handlerTimeoutMs?: number;
  /** Default: 5 attempts, after 1, 2, 4 and 8 seconds, each varied by a quarter. */
  readonly retry?: Partial<RetryPolicy>;
  /** Default: pauses for 30 s when half of at least 20 events within a minute have failed. */
  readonly breaker?: Partial<BreakerPolicy>;
  /** How often the process may die on one event before that becomes a dead letter. Default: 3. */
  readonly maxDeaths?: number;
  /** With `exactlyOnce`: how long an event's id is remembered, in milliseconds. Default: 7 days. */
  readonly inboxRetentionMs?: number;
  /** Called once, when the consumer receives events. */
  readonly onReady?: (transport: Transport) => void;
}

type Handling<Pattern extends EventPattern, Asked extends AskedTypes, Context, Returned> =
  | {
      /** Handles one event. When it throws or rejects, the event is tried again later; `Reject` and `RetryAfter` say otherwise. */
      readonly handle: (event: Matching<Pattern, Asked>, context: Context) => Returned;
      readonly handleBatch?: undefined;
      readonly batch?: undefined;
    }
  | {
      readonly handle?: undefined;
      /** Handles several events at once, in their order. When it fails, it is called again for each of them alone. */
      readonly handleBatch: (events: readonly Matching<Pattern, Asked>[], context: Context) => Returned;
      /** How many events at most (default 100), and how long the first of them waits for others (default 50 ms). */
      readonly batch?: { readonly size?: number; readonly waitMs?: number };
    };

export type ConsumerOptions<Pattern extends EventPattern = EventPattern, Asked extends AskedTypes = NewestTypes> = CommonOptions<
  Pattern,
  Asked
> &
  (
    | ({ readonly exactlyOnce?: false; readonly setup?: undefined } & Handling<Pattern, Asked, HandlerContext, unknown>)
    | ({
        /**
         * The handler gets `tx`, a transaction on the consumer's own SQLite file. What it writes commits together with
         * the note that this event is done, or not at all: however often an event is delivered, its effect is there once.
         * The handler must not be async.
         */
        readonly exactlyOnce: true;
        /** Makes the consumer's tables; runs at every start, in a transaction. Names that begin with `warren_` are taken. */
        readonly setup?: (tx: Transaction) => void;
      } & Handling<Pattern, Asked, ExactlyOnceContext, void>)
  );

/** A consumer, ready to handle the messages of either transport. */
export interface Consumer {
  readonly queue: string;
  readonly temporary: boolean;
  /** The event types that it asks for. */
  readonly wanted: ReadonlySet<string>;
  /** The versions of event types that it asks for; of any other type it gets the newest. */
  readonly versions: AskedVersions;
  readonly catalogue: Catalogue;
  readonly startFrom: "beginning" | "now" | Date;
  readonly handle: AnyHandler;
  readonly handleBatch: AnyBatchHandler | undefined;
  readonly batch: { readonly size: number; readonly waitMs: number };
  readonly exactlyOnce: boolean;
  readonly setup: (tx: Transaction) => void;
  readonly inboxRetentionMs: number;
  readonly prefetch: number;
  readonly concurrency: number;
  readonly ratePerSecond: number | null;
  readonly handlerTimeoutMs: number;
  readonly maxDeaths: number;
  readonly retry: RetryPolicy;
  readonly breaker: BreakerPolicy;
  readonly log: Log;
  readonly tracing: Tracing;
  /** Called once, when the first subscription stands. */
  readonly onReady: () => void;
}

/** The consumer was asked for something that makes no sense; the message says what would. */
export class ConsumerError extends Error {
  override readonly name = "ConsumerError";
}

const minuteMs = 60_000;

/**
 * Checks a consumer's options and fills in the defaults.
 *
 * @throws {ConsumerError} for options that make no sense, alone or together.
 * @throws {UnknownEventType} when a pattern selects no event type.
 */
export function resolveConsumer<Pattern extends EventPattern, Asked extends AskedTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  catalogue: Catalogue,
  log: Log,
  onReady: () => void,
  tracing: Tracing = noTracing,
): Consumer {
  const { queue, exactlyOnce = false, handleBatch } = options;
  const number = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new ConsumerError(`${name} is ${value}; use a whole number from ${least} to ${most}.`);
    }
    return value;
  };
  if (exactlyOnce && queue === undefined) {
    throw new ConsumerError("exactlyOnce needs a `queue`: a temporary consumer leaves no file behind in which an effect could stand.");
  }
  for (const handler of [options.handle, handleBatch]) {
    if (exactlyOnce && handler?.constructor.name === "AsyncFunction") {
      throw new ConsumerError("With exactlyOnce the handler must not be async: its transaction ends when it returns.");
    }
  }
  const concurrency = number("concurrency", options.concurrency ?? 1, 1, 1000);
  if (concurrency > 1 && (exactlyOnce || handleBatch)) {
    throw new ConsumerError(
      `concurrency is ${concurrency}, but ${exactlyOnce ? "transactions on one file" : "batches"} are one after another; leave it out.`,
    );
  }
  const size = number("batch.size", options.batch?.size ?? 100, 1, 10_000);
  const rate = options.ratePerSecond ?? null;
  if (rate !== null && !(rate > 0)) throw new ConsumerError(`ratePerSecond is ${rate}; use a number above 0.`);
  const startFrom = options.startFrom ?? "beginning";
  if (startFrom instanceof Date && !isTime(startFrom)) throw new ConsumerError("startFrom is not a valid date.");

  return {
    queue: queue ?? `temporary-${Bun.randomUUIDv7()}`,
    temporary: queue === undefined,
    wanted: wantedTypes(queue, options.events, catalogue),
    versions: askedVersions(options.versions ?? {}, catalogue),
    catalogue,
    startFrom,
    // The types of events and context are what the options say; from here on they are those of any event.
    handle: options.handle as AnyHandler,
    handleBatch: handleBatch as AnyBatchHandler | undefined,
    batch: { size, waitMs: number("batch.waitMs", options.batch?.waitMs ?? 50, 0, minuteMs) },
    exactlyOnce,
    setup: options.setup ?? (() => {}),
    inboxRetentionMs: number("inboxRetentionMs", options.inboxRetentionMs ?? 7 * 24 * 60 * minuteMs, 1, 10 * 365 * 24 * 60 * minuteMs),
    prefetch: number("prefetch", options.prefetch ?? (handleBatch ? Math.min(65_535, size * 2) : exactlyOnce ? 256 : 64), 1, 65_535),
    concurrency,
    ratePerSecond: rate,
    handlerTimeoutMs: number("handlerTimeoutMs", options.handlerTimeoutMs ?? minuteMs / 2, 1, 25 * minuteMs),
    maxDeaths: number("maxDeaths", options.maxDeaths ?? 3, 1, 1000),
    retry: asConsumerError(() => retryPolicy(options.retry)),
    breaker: asConsumerError(() => breakerPolicy(options.breaker)),
    log,
    tracing,
    onReady,
  };
}

function asConsumerError<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof TypeError ? new ConsumerError(error.message) : error;
  }
}

function wantedTypes(queue: string | undefined, events: readonly string[] | undefined, catalogue: Catalogue): ReadonlySet<string> {
  if (queue !== undefined) checkQueueName(queue);
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

function askedVersions(versions: AskedVersions, catalogue: Catalogue): AskedVersions {
  for (const [name, version = Number.NaN] of Object.entries(versions)) {
    const [selected = ""] = catalogue.select([name]);
    const type = catalogue.eventType(name);
    if (!type) throw new ConsumerError(`versions: name each event type, such as "${selected}", and not the pattern "${name}".`);
    const newest = newestVersion(type);
    if (!Number.isInteger(version) || version < 1 || version > newest) {
      throw new ConsumerError(`versions: ${name} has ${newest === 1 ? "version 1" : `versions 1 to ${newest}`}, not ${version}.`);
    }
    const missing = type.steps.findLastIndex(({ down }, index) => index >= version - 1 && !down);
    if (missing >= 0) {
      throw new ConsumerError(
        `versions: ${name} cannot be had in version ${version}, since nothing says how version ${missing + 2} becomes version ${missing + 1}: ` +
          `give that past version a \`down\`, where "${type.resource.name}" is defined.`,
      );
    }
  }
  return versions;
}

/** @throws {ConsumerError} for a name that is no consumer's queue. */
export function checkQueueName(queue: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(queue)) {
    throw new ConsumerError(
      `"${queue}" cannot name a queue: use letters, digits, dots, dashes and underscores, at most 200, such as "audit".`,
    );
  }
  if (/\.dead$|\.retry\.\d+$|^(warren|amq)\./.test(queue)) {
    throw new ConsumerError(`"${queue}" is a queue that Warren or RabbitMQ keeps for itself; name a queue of your own.`);
  }
}
