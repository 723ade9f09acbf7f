import type { Log } from "../observe/logging";
import { noTracing, type Tracing } from "../observe/tracing";
import type { Catalogue } from "../schema/catalogue";
import type { AskedVersions } from "../schema/event";
import { isTime } from "../schema/time";
import type { Transaction } from "../store/consumer/transaction";
import type { NewSchedule } from "../store/schedules";
import type { TransactionEngine } from "../store/transaction/engine";
import { unreachable } from "../store/transaction/unreachable";
import { Deadlines } from "../timing/deadlines";
import { type BreakerPolicy, breakerPolicy } from "./breaker";
import type { AskedTypes, EventPattern, Matching, NewestTypes } from "./consumed-events";
import { ConsumerError } from "./consumer-error";
import type { AnyBatchHandler, AnyHandler, ExactlyOnceContext, HandlerContext } from "./context";
import { HandlerChanges } from "./handler-changes";
import { type RetryPolicy, retryPolicy } from "./retry-policy";
import { type NoSchedule, resolveSchedule, type ScheduledOptions, wantedTicks } from "./schedule-options";
import { StoreTrouble } from "./store-trouble";
import type { ChosenTransport } from "./transport";
import { askedVersions, wantedTypes } from "./wanted-types";

/** Options that select events of resources. */
interface EventOptions<Pattern extends EventPattern, Asked extends AskedTypes> extends NoSchedule {
  /**
   * Durable queue to consume. All consumers of a resource share the queue `<resource>_events`, such as `item_events`. Any
   * other name is this consumer's own queue, which takes no events from other consumers. Default: a temporary queue that
   * starts now and ends with the process.
   */
  readonly queue?: string | undefined;
  /** Event types or patterns to receive. Default: all types on the queue. On a shared queue, only all types are accepted. */
  readonly events?: readonly Pattern[] | undefined;
  /** Older versions of event types to receive, such as `{ "item.created": 1 }`. Default: the newest version of each type. */
  readonly versions?: Asked;
  /**
   * Where a new queue of this consumer's own starts: `beginning` with the first event in the log, `now` with the next
   * event, a date with the first event from that time on. Default: `beginning`.
   */
  readonly startFrom?: "beginning" | "now" | Date;
}

/** Options of every consumer. */
interface CommonOptions {
  /** Description of the consumer for the documentation at `/asyncapi`. */
  readonly description?: string;
  /** Maximum number of events fetched ahead, 1 to 65,535. Default: 64; with `exactlyOnce` 256; for batches twice their size. */
  readonly prefetch?: number;
  /**
   * Maximum number of events handled at the same time, 1 to 1,000. Events of one item are always handled one after another.
   * With `exactlyOnce` or batches, only 1 is accepted. Default: 1.
   */
  readonly concurrency?: number;
  /** Maximum number of events handled per second, above 0. Default: no limit. */
  readonly ratePerSecond?: number;
  /** Maximum duration of an asynchronous handler, in milliseconds, up to 25 minutes. Longer is a failure. Default: 30,000. */
  readonly handlerTimeoutMs?: number;
  /** When and how often a failed event is retried. Default: 5 attempts, with delays of 1, 2, 4 and 8 s, each varied by up to 25%. */
  readonly retry?: Partial<RetryPolicy>;
  /** When to pause a consumer whose handler fails. Default: for 30 s when half of at least 20 events within a minute failed. */
  readonly breaker?: Partial<BreakerPolicy>;
  /** Number of times the process may die while handling an event before it becomes a dead letter, 1 to 1,000. Default: 3. */
  readonly maxDeaths?: number;
  /**
   * With `exactlyOnce`, or for a handler that changes resources: how long it is remembered that an event was handled, in milliseconds, up
   * to 10 years. Default: 7 days.
   */
  readonly inboxRetentionMs?: number;
  /** Called once, when the consumer starts to receive events. */
  readonly onReady?: (transport: ChosenTransport) => void;
}

type Handling<Pattern extends EventPattern, Asked extends AskedTypes, Context> =
  | {
      /** Handles one event. If it throws, the event is retried. Throw `Reject` to give up, `RetryAfter` to set the delay. */
      readonly handle: (event: Matching<Pattern, Asked>, context: Context) => unknown;
      readonly handleBatch?: undefined;
      readonly batch?: undefined;
    }
  | {
      readonly handle?: undefined;
      /** Handles several events at once, in order. If it fails, it is called again for each event alone. */
      readonly handleBatch: (events: readonly Matching<Pattern, Asked>[], context: Context) => unknown;
      /** Maximum number of events (`size`, default 100), and how long the first waits for more (`waitMs`, default 50 ms). */
      readonly batch?: { readonly size?: number; readonly waitMs?: number };
    };

/** Options that do without or with tables of the consumer's own. */
type WithTables<Without, With> =
  | ({ readonly exactlyOnce?: false; readonly setup?: undefined } & Without)
  | ({
      /**
       * Passes the handler `tx`, a transaction on the consumer's own tables. Its writes commit together with the
       * record that this event is done, or not at all. However often an event is delivered, its effect is applied once.
       * Needs a `queue`. The handler must await each call of `tx`.
       */
      readonly exactlyOnce: true;
      /** Creates the consumer's tables. Runs at every start, in a transaction; await each call of `tx`. Names that begin with `warren_` are reserved. */
      readonly setup?: (tx: Transaction) => unknown;
    } & With);

/** Options of `runConsumer`. */
export type ConsumerOptions<Pattern extends EventPattern = EventPattern, Asked extends AskedTypes = NewestTypes> = CommonOptions &
  (
    | (EventOptions<Pattern, Asked> & WithTables<Handling<Pattern, Asked, HandlerContext>, Handling<Pattern, Asked, ExactlyOnceContext>>)
    | WithTables<ScheduledOptions<HandlerContext>, ScheduledOptions<ExactlyOnceContext>>
  );

/** A consumer with checked options and all defaults, ready to handle messages of either transport. */
export interface Consumer {
  readonly queue: string;
  readonly temporary: boolean;
  /** Event types to receive. */
  readonly wanted: ReadonlySet<string>;
  /** Requested versions of event types. Any other type comes in its newest version. */
  readonly versions: AskedVersions;
  readonly catalogue: Catalogue;
  readonly startFrom: "beginning" | "now" | Date;
  /** When to be called. Undefined for a consumer of events. */
  readonly schedule: NewSchedule | undefined;
  readonly handle: AnyHandler;
  readonly handleBatch: AnyBatchHandler | undefined;
  readonly batch: { readonly size: number; readonly waitMs: number };
  readonly exactlyOnce: boolean;
  readonly setup: (tx: Transaction) => unknown;
  readonly inboxRetentionMs: number;
  readonly prefetch: number;
  readonly concurrency: number;
  readonly ratePerSecond: number | null;
  /** Limits the duration of asynchronous handlers. */
  readonly timeouts: Deadlines;
  readonly maxDeaths: number;
  readonly retry: RetryPolicy;
  readonly breaker: BreakerPolicy;
  /** The changes that its handlers make. */
  readonly changes: HandlerChanges;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly storeTrouble: StoreTrouble;
  /** Called when the consumer starts to receive events, and again after each reconnect. */
  readonly onReady: () => void;
}

const minuteMs = 60_000;

/**
 * Checks a consumer's options and fills in the defaults.
 *
 * @param changing commits what the handlers change. Default: refuses it.
 * @throws {ConsumerError} for invalid options, alone or in combination.
 * @throws {UnknownEventType} if a pattern matches no event type.
 */
export function resolveConsumer<Pattern extends EventPattern, Asked extends AskedTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  catalogue: Catalogue,
  log: Log,
  onReady: () => void,
  tracing: Tracing = noTracing,
  changing: TransactionEngine = unreachable,
): Consumer {
  const { exactlyOnce = false, handleBatch } = options;
  const queue = options.queue ?? `temporary-${Bun.randomUUIDv7()}`;
  const number = (name: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new ConsumerError(`${name} is ${value}; use a whole number from ${least} to ${most}.`);
    }
    return value;
  };
  if (exactlyOnce && options.queue === undefined) {
    throw new ConsumerError("exactlyOnce requires a `queue`: the file of a temporary consumer does not outlive it.");
  }
  const concurrency = number("concurrency", options.concurrency ?? 1, 1, 1000);
  if (concurrency > 1 && (exactlyOnce || handleBatch)) {
    throw new ConsumerError(
      `concurrency is ${concurrency}, but ${exactlyOnce ? "transactions on one file" : "batches"} run one after another; omit it.`,
    );
  }
  const size = number("batch.size", options.batch?.size ?? 100, 1, 10_000);
  const rate = options.ratePerSecond ?? null;
  if (rate !== null && !(rate > 0)) throw new ConsumerError(`ratePerSecond is ${rate}; use a number above 0.`);
  const schedule = asConsumerError(() => resolveSchedule(options, catalogue));
  // A schedule has no past: its first event comes after the consumer has announced it.
  const startFrom = schedule ? "now" : (options.startFrom ?? "beginning");
  const notesLiveMs = number("inboxRetentionMs", options.inboxRetentionMs ?? 7 * 24 * 60 * minuteMs, 1, 10 * 365 * 24 * 60 * minuteMs);
  if (startFrom instanceof Date && !isTime(startFrom))
    throw new ConsumerError('startFrom is an invalid Date; use "beginning", "now" or a valid Date.');

  return {
    queue,
    temporary: options.queue === undefined,
    wanted: schedule ? wantedTicks : wantedTypes(options.queue, options.events, catalogue),
    versions: askedVersions(options.versions ?? {}, catalogue),
    catalogue,
    startFrom,
    schedule,
    // The options type the event and the context of their handler. From here on, both may be those of any event.
    handle: options.handle as AnyHandler,
    handleBatch: handleBatch as AnyBatchHandler | undefined,
    batch: { size, waitMs: number("batch.waitMs", options.batch?.waitMs ?? 50, 0, minuteMs) },
    exactlyOnce,
    setup: options.setup ?? (() => {}),
    inboxRetentionMs: notesLiveMs,
    prefetch: number("prefetch", options.prefetch ?? (handleBatch ? Math.min(65_535, size * 2) : exactlyOnce ? 256 : 64), 1, 65_535),
    concurrency,
    ratePerSecond: rate,
    timeouts: new Deadlines(number("handlerTimeoutMs", options.handlerTimeoutMs ?? minuteMs / 2, 1, 25 * minuteMs)),
    maxDeaths: number("maxDeaths", options.maxDeaths ?? 3, 1, 1000),
    retry: asConsumerError(() => retryPolicy(options.retry)),
    breaker: asConsumerError(() => breakerPolicy(options.breaker)),
    changes: new HandlerChanges(changing, { queue, notesLiveMs, hasOtherEffects: exactlyOnce }),
    log,
    tracing,
    storeTrouble: new StoreTrouble(),
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
