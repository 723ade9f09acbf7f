import type { ReplayMark } from "../replay";
import type { Lane } from "./lanes";

/** An event that waits in a consumer's store for its next attempt. */
export interface Waiting {
  readonly number: number;
  readonly id: string;
  readonly body: string;
  /** Number of failed attempts. */
  readonly attempts: number;
  /** When the next attempt is due, by {@link steadyNow}, or {@link atOnce}. */
  readonly dueAt: number;
  /** Total delay, in milliseconds. After a restart, the event waits no longer than this from then on, even if the clock changed. */
  readonly delayMs: number;
  readonly firstFailure: string | null;
  readonly replay: ReplayMark;
  /** W3C trace context of the event. */
  readonly traceparent: string | null;
  /** Number of the lane that the event is in. */
  readonly lane: number;
  /** 1 if the event may have reached a handler since it was added. Otherwise 0. */
  readonly begun: number;
}

/** A `dueAt` for events that are due immediately. */
export const atOnce = 0;

export interface WaitingTable {
  add(waiting: Omit<Waiting, "number" | "lane" | "begun">): Promise<void>;
  remove(number: number): Promise<void>;
  /** Resolves with up to `limit` events of lanes that are due at `now`, earliest first, except those with a number in `except`. */
  due(now: number, lanes: readonly Lane[], except: ReadonlySet<number>, limit: number): Promise<Waiting[]>;
  /** Resolves with when the next event of lanes is due, except those with a number in `except`, or with undefined if there is none. */
  nextDueAt(lanes: readonly Lane[], except: ReadonlySet<number>): Promise<number | undefined>;
  /** Records that events go to a handler now. */
  begin(numbers: readonly number[]): Promise<void>;
  /** Records that events that had gone to a handler are no longer in progress. */
  rest(numbers: readonly number[]): Promise<void>;
  /** Limits each wait to the event's delay from `now` on, in case the clock of an earlier process was ahead. */
  bound(now: number): Promise<void>;
  count(): Promise<number>;
}
