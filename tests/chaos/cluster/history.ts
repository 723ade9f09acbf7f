// Everything observed in one run on a cluster: responses to clients, stored data, what the reader saw, and the work of each consumer.
import type { Observation } from "../history";

/** A change that a client requested, with an Idempotency-Key, until it was answered. */
export interface Request {
  readonly kind: "create" | "rename" | "delete" | "transfer";
  /** Identifies the change in the log: the new owner of an account, or the note of a transfer. For a deletion the account's id. */
  readonly mark: string;
  /** `done`: a 2xx status. `refused`: a 4xx status, so nothing may have changed. `unknown`: never answered. */
  readonly told: "done" | "refused" | "unknown";
  /** The record in the response. Null if there is none. */
  readonly answer: { readonly id: number; readonly version: number } | null;
  /** True if the request was repeated after its response, with its key, and got another response. */
  readonly changedAnswer: boolean;
}

/** An event, reduced to the fields that identify it. */
export interface Happening {
  readonly id: string;
  readonly type: string;
  /** Id of the record. Only records of one resource have different ones. */
  readonly subject: number;
  readonly version: number;
}

export interface Logged extends Happening {
  readonly account?: Account;
  readonly transfer?: Transfer;
}

export interface Account {
  readonly id: number;
  readonly version: number;
  readonly code: string;
  readonly owner: string;
  readonly balance: number;
}

export interface Transfer {
  readonly id: number;
  readonly version: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  readonly note: string;
}

/** An event that a consumer handled. */
export interface Handled extends Happening {
  /** Time at which the handler was called, in milliseconds since 1970. */
  readonly at: number;
  /** Process that handled it. */
  readonly pid: number;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
}

/** A time in which the order of a record's events is not promised to a consumer, in milliseconds since 1970. */
export interface Disorder {
  readonly from: number;
  readonly to: number;
}

export interface ConsumerRecord {
  readonly name: string;
  readonly exactlyOnce: boolean;
  /** True if the events of a record must arrive in order: one process has the queue. */
  readonly ordered: boolean;
  /** Times in which a later event may nevertheless come before an earlier one. */
  readonly disorders: readonly Disorder[];
  /** The events that it handled, including repeats, in order. */
  readonly handled: readonly Handled[];
}

export interface ClusterHistory {
  readonly requests: readonly Request[];
  /** The event log, in the order of positions. */
  readonly log: readonly Logged[];
  readonly accounts: readonly Account[];
  readonly transfers: readonly Transfer[];
  /** Ids of the events that the tailing reader got, in order. */
  readonly read: readonly string[];
  readonly consumers: readonly ConsumerRecord[];
  /** Number of events that RabbitMQ has not confirmed at the end. */
  readonly backlog: number;
  /** Failures that were observed directly, and not in the final state. */
  readonly observations: readonly Observation[];
}
