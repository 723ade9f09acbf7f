import { type Duration, durationMs } from "../config/duration";
import type { EventData } from "../schema/resource";

/**
 * A custom event to publish later, about the record that a change writes. It is stored with the change. When it is due, it becomes
 * an event of the log, once, with the record as it is then. If the record is deleted before, there is no event.
 */
export type Later<Data extends EventData = EventData> = {
  readonly [Event in keyof Data & string]: LaterEvent<Event, Data[Event]>;
}[keyof Data & string];

type LaterEvent<Event, Data> = {
  /** Name of the custom event. */
  readonly event: Event;
  /** Data of the event. Default: `{}`. */
  readonly data?: Data;
  /**
   * Identifies the timer in the service, to cancel or replace it, in 1 to 200 characters: `remind:7`. A timer with the same key is
   * replaced. Default: none.
   */
  readonly key?: string;
} & When;

/** When an event is due. A time in the past is now. */
export type When =
  | { readonly after: Duration; readonly at?: never }
  /** A time, as text in ISO 8601. */
  | { readonly at: Date | string; readonly after?: never };

/** A timer to store. */
export interface NewTimer {
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly key: string | null;
  /** Name of the resource. */
  readonly resource: string;
  /** The id of the record. */
  readonly subject: number;
  /** Name of the custom event. */
  readonly event: string;
  /** Version of the event that `data` is written in. */
  readonly version: number;
  /** Data of the event, as JSON. */
  readonly data: string;
  /** The id of the event whose handler set the timer. Null if no handler did. */
  readonly cause: string | null;
  /** Depth of the cause. 0 without one. */
  readonly depth: number;
  /** Who set it. Null for the service itself. */
  readonly actor: string | null;
  readonly traceparent: string | null;
}

export interface Timer extends NewTimer {
  /** Identifies the timer. Never reused. */
  readonly number: number;
  /** Why it cannot become an event. Null if nothing hinders it. Only an operator can remove one that is hindered. */
  readonly problem: string | null;
}

/** Selects timers. */
export interface TimerQuery {
  /** Only those after this one, in the order of time. */
  readonly after?: Pick<Timer, "dueAt" | "number"> | undefined;
  /** Name of a resource. */
  readonly resource?: string | undefined;
  readonly subject?: number | undefined;
  readonly key?: string | undefined;
  /** Only those with a problem. Default: all. */
  readonly isHindered?: boolean | undefined;
  readonly limit: number;
}

/** The events that a store publishes later, as they are read. The time of each method depends on what it finds, not on how many wait. */
export interface TimerReads {
  /** Resolves with up to `limit` timers that are due at a time, in milliseconds since 1970, the first one first. */
  due(now: number, limit: number): Promise<Timer[]>;
  /** Resolves with the time at which the next timer is due, in milliseconds since 1970. Undefined if none waits. */
  next(): Promise<number | undefined>;
  /** Resolves with timers in the order of time. With a `resource` and nothing else, reads all before those that it finds. */
  list(query: TimerQuery): Promise<Timer[]>;
  get(number: number): Promise<Timer | undefined>;
  /** Resolves with the number of timers that wait, and of those with a problem, each counted up to `most`. */
  count(most: number): Promise<{ readonly waiting: number; readonly hindered: number }>;
}

/** The events that a store publishes later. */
export interface Timers extends TimerReads {
  /**
   * Turns timers into events, in their order. Passes over those that are gone. One that cannot become an event gets a `problem`, and is
   * not due any longer. It may be given again, to try it once more. Resolves with the number of events.
   */
  fire(timers: readonly Timer[]): Promise<number>;
  /** Removes a timer. Resolves with false if there was none. */
  cancel(number: number): Promise<boolean>;
}

/**
 * Returns when a timer is due, in milliseconds since 1970.
 *
 * @param now time of the change, in milliseconds since 1970.
 * @throws {TypeError} if it is no time.
 */
export function dueAt({ after, at }: When, now: number): number {
  const time = after === undefined ? new Date(at as Date | string).getTime() : now + durationMs(after);
  if (Number.isFinite(time) && Math.abs(time) <= latest) return Math.ceil(time);
  throw new TypeError(`A timer needs \`after\`, such as "3d", or \`at\`, a Date or a text in ISO 8601 up to the year 275760.`);
}

/** The latest time that a Date can represent. */
const latest = 8.64e15;
