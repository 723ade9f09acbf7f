import type { Log } from "../observe/logging";
import type { Event } from "../schema/event";
import type { Transaction } from "../store/consumer/file";

/** What a handler is told about its event, or about its batch of events. */
export interface HandlerContext {
  readonly queue: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Whether somebody asked for this event again. */
  readonly replay: boolean;
  /** Names the event, and its trace, in each line. */
  readonly log: Log;
  /** Aborts when the handler has taken too long. */
  readonly signal: AbortSignal;
  /**
   * The W3C trace context to pass on with what the handler calls: that of this attempt or, while nothing is traced here,
   * the event's own. Undefined where there is none.
   */
  readonly traceparent: string | undefined;
}

/** As {@link HandlerContext}, for a consumer with `exactlyOnce`. */
export interface ExactlyOnceContext extends HandlerContext {
  /** Writes to the consumer's own file; commits together with the note that the event is done, or not at all. */
  readonly tx: Transaction;
}

export type AnyHandler = (event: Event, context: ExactlyOnceContext) => unknown;

export type AnyBatchHandler = (events: readonly Event[], context: ExactlyOnceContext) => unknown;
