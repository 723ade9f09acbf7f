import type { Log } from "../observe/logging";
import type { Event } from "../schema/event";
import type { Transaction } from "../store/consumer/transaction";
import type { Changes } from "../store/transaction/changes";

/** Second argument of a handler: the circumstances of its event or batch of events. */
export interface HandlerContext {
  /** Queue that delivered the event. */
  readonly queue: string;
  /** Number of this attempt, from 1. For a batch, the highest number among its events. */
  readonly attempt: number;
  /** True if a replay sent this event; for a batch, if a replay sent any of its events. */
  readonly replay: boolean;
  /** Log whose lines carry the id of the event, or the ids of the batch, and the trace. */
  readonly log: Log;
  /** Aborts when the handler exceeds `handlerTimeoutMs`. */
  readonly signal: AbortSignal;
  /**
   * W3C trace context to pass on to whatever the handler calls: that of this attempt or, while this process does not trace,
   * that of the event. Undefined if there is none, and for an untraced batch of several events.
   */
  readonly traceparent: string | undefined;
  /**
   * Reads and changes resources. All changes of the handler are committed together, with a note that it has done its event, when it
   * returns: once, however often the event comes. See {@link Changes}. Not for batches of several events.
   */
  readonly change: Changes;
}

/** {@link HandlerContext} of a consumer with `exactlyOnce`. */
export interface ExactlyOnceContext extends HandlerContext {
  /**
   * Transaction on the consumer's own tables. Its writes commit together with the record that the event is done, or not at all. Await
   * each of its calls.
   */
  readonly tx: Transaction;
}

export type AnyHandler = (event: Event, context: ExactlyOnceContext) => unknown;

export type AnyBatchHandler = (events: readonly Event[], context: ExactlyOnceContext) => unknown;
