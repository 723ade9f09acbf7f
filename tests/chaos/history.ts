// All that was seen of one run: what clients were told, what was stored, and what each consumer did.

export type Kind = "created" | "updated" | "deleted";

/** A change that a client asked for. */
export interface Change {
  readonly kind: Kind;
  /** The name that it gave the item, which no other change gives to any. A deletion gives none: undefined. */
  readonly name: string | undefined;
  /** Undefined for a creation that was not answered. */
  readonly item: number | undefined;
  /** `done`: a 2xx. `refused`: an error, after which nothing may have changed. `unknown`: no answer. */
  readonly told: "done" | "refused" | "unknown";
  /** The version of the item in the answer. */
  readonly version: number | undefined;
}

/** An event, as far as it matters who has it. */
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
  /** What it did, in that order, repeats too. */
  readonly handled: readonly Happening[];
}

export interface QueueEnd {
  readonly queue: string;
  readonly ready: number;
  readonly unacked: number;
}

/** What one process used, early in the run and at its end. */
export interface Usage {
  readonly process: string;
  readonly memoryMb: readonly [before: number, after: number];
  readonly descriptors: readonly [before: number, after: number];
}

/** Something that went wrong and was seen at once, and not in what is left at the end. */
export interface Observation {
  readonly violation: string;
  readonly detail: string;
}

export interface History {
  readonly changes: readonly Change[];
  /** The event log, in commit order. */
  readonly log: readonly Logged[];
  /** The table of items: version and name by id. */
  readonly items: ReadonlyMap<number, { readonly version: number; readonly name: string }>;
  readonly consumers: readonly ConsumerRecord[];
  /** Events that RabbitMQ has not confirmed at the end. */
  readonly backlog: number;
  readonly queues: readonly QueueEnd[];
  /** What SQLite says of each database: `ok`. */
  readonly integrity: readonly { readonly file: string; readonly result: string }[];
  readonly usage: readonly Usage[];
  readonly observations: readonly Observation[];
  /** Whether events of an item must come in order: not where somebody asked for past ones again. */
  readonly ordered: boolean;
}
