// Everything observed in one run with consumers that act: responses to clients, the log, the records, and the consumers' own tables.
import type { Observation } from "../history";

/** A change that a client requested, with an Idempotency-Key, until it was answered. */
export interface Request {
  readonly kind: "create" | "remind" | "calm" | "delete";
  /** Identifies the change in the log: the mark of an order, the tag of a note. For a deletion the order's id. */
  readonly mark: string;
  /** `done`: a 2xx status. `refused`: a 4xx status, so nothing may have changed. `unknown`: never answered. */
  readonly told: "done" | "refused" | "unknown";
}

export interface Pot {
  readonly id: number;
  readonly version: number;
  readonly balance: number;
  readonly reminded: number;
  readonly counted: number;
  readonly ticked: number;
}

export interface Order {
  readonly id: number;
  readonly version: number;
  readonly pot: number;
  readonly amount: number;
  readonly mark: string;
  readonly state: string;
  readonly note: string;
}

/** An event of the log. */
export interface Logged {
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** Id of the record. */
  readonly subject: number;
  /** Milliseconds since 1970, by the service's clock. */
  readonly at: number;
  readonly actor?: string | undefined;
  readonly cause?: string | undefined;
  readonly depth?: number | undefined;
  readonly pot?: Pot;
  readonly order?: Order;
  /** The tag of a timer that has become this event. */
  readonly tag?: string | undefined;
  /** The time of a schedule that has become this event, in milliseconds since 1970. */
  readonly dueAt?: number | undefined;
}

/** A row of the own table of the consumer with effects exactly once. */
export interface Effect {
  readonly id: string;
  /** Its counts as they were in the change. */
  readonly counted: number;
}

/** The clock was set after one position of the log and before another one. */
export interface Jump {
  readonly from: number;
  readonly to: number;
}

/** Returns whether an event may have been decided on before the clock was set, and got its time after that. */
export function isUnder({ position }: Pick<Logged, "position">, { from, to }: Jump): boolean {
  return from < position && position <= to;
}

export interface ActingHistory {
  readonly requests: readonly Request[];
  /** The event log, in the order of positions. */
  readonly log: readonly Logged[];
  readonly pots: readonly Pot[];
  readonly orders: readonly Order[];
  readonly effects: readonly Effect[];
  /** Number of timers that wait at the end, when the time of all has come. */
  readonly waiting: number;
  readonly jumps: readonly Jump[];
  /** A time at the end that the schedule must have an event for, or a later one, in milliseconds since 1970. Undefined for none. */
  readonly lastTime: number | undefined;
  /** Failures that were observed directly, and not in the final state. */
  readonly observations: readonly Observation[];
}

/** The queues of the consumers. */
export const queues = { plain: "chaos-plain", once: "chaos-once", ticks: "chaos-ticks" } as const;
