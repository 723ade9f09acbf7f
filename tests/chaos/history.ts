// Everything observed in one run: responses to clients, stored data, and the work of each consumer.

import type { QueueDepth } from "../support/rabbit";

export type Kind = "created" | "updated" | "deleted";

/** A change that a client requested. */
export interface Change {
  readonly kind: Kind;
  /** The item's new name, unique among all changes. Undefined for a deletion. */
  readonly name: string | undefined;
  /** Undefined for a creation without a response. */
  readonly item: number | undefined;
  /** `done`: a 2xx status. `refused`: an error, after which nothing may have changed. `unknown`: no response. */
  readonly told: "done" | "refused" | "unknown";
  /** Version of the item in the response. */
  readonly version: number | undefined;
}

/** An event, reduced to the fields that identify it. */
export interface Happening {
  readonly id: string;
  readonly kind: Kind;
  readonly item: number;
  readonly version: number;
}

export interface Logged extends Happening {
  readonly name: string;
}

export interface ConsumerRecord {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly exactlyOnce: boolean;
  /** The events it handled, in order and including repeats. */
  readonly handled: readonly Happening[];
}

/** Resources that one process used, early in the run and at its end. */
export interface Usage {
  readonly process: string;
  readonly memoryMb: readonly [before: number, after: number];
  readonly descriptors: readonly [before: number, after: number];
}

/** A failure that was observed directly, and not in the final state. */
export interface Observation {
  readonly violation: string;
  readonly detail: string;
}

export interface History {
  readonly changes: readonly Change[];
  /** The event log, in commit order. */
  readonly log: readonly Logged[];
  /** The table of items: version and name by ID. */
  readonly items: ReadonlyMap<number, { readonly version: number; readonly name: string }>;
  readonly consumers: readonly ConsumerRecord[];
  /** Number of events that RabbitMQ has not confirmed at the end. */
  readonly backlog: number;
  readonly queues: readonly QueueDepth[];
  /** Result of SQLite's integrity check for each database; `ok` if it passed. */
  readonly integrity: readonly { readonly file: string; readonly result: string }[];
  readonly usage: readonly Usage[];
  readonly observations: readonly Observation[];
  /** True if events of an item must arrive in order. False if past events were replayed. */
  readonly ordered: boolean;
}
