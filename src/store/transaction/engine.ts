import type { Actor } from "../../schema/actor";
import type { Resource } from "../../schema/resource";
import type { RelatedEvent } from "../cause";
import type { ChangeContext } from "../change-context";
import type { Stored } from "../stored";
import type { TransactionContext } from "./transaction";

/** Maximum number of records in a list. The commit, which delays all other writes, reads it again. */
export const mostListed = 1000;

/** Something that a transaction has read, with what it found. */
export type Read =
  | { readonly kind: "record"; readonly resource: Resource; readonly id: number; readonly found: Stored | undefined }
  | {
      readonly kind: "key";
      readonly resource: Resource;
      readonly name: string;
      readonly values: object;
      readonly found: number | undefined;
    }
  | { readonly kind: "list"; readonly resource: Resource; readonly where: object; readonly found: readonly number[] };

/** A change that a transaction makes. */
export interface Write {
  readonly kind: "insert" | "update" | "remove";
  readonly resource: Resource;
  /** The state to write, except for its version and times; the last state for `remove`. */
  readonly state: Stored;
  readonly emit: ChangeContext["emit"];
  readonly later: ChangeContext["later"];
  readonly cancel: ChangeContext["cancel"];
  /** Who makes the change. */
  readonly actor: Actor | undefined;
}

/** One try of a transaction, to be committed. */
export interface Plan {
  readonly reads: readonly Read[];
  /** The changes, in order. */
  readonly writes: readonly Write[];
  /** Keys of timers to cancel before the changes are made. */
  readonly cancel: readonly string[];
  readonly context: TransactionContext;
  /**
   * Called in the commit with what was written, by the order of writes. Returns the result to keep for the idempotency key.
   * Undefined keeps none. May be called several times, but only the last call counts.
   */
  readonly answerOf: (written: readonly Stored[]) => string | undefined;
}

/**
 * The outcome of a plan:
 * - `isStale`: something that was read has changed. Nothing was committed.
 * - otherwise, `text` is what `answerOf` returned, or what the idempotency key has kept from an earlier transaction; then nothing
 *   was committed either, and `isEarlier` is true.
 */
export type Committed =
  | { readonly isStale: true }
  | { readonly isStale: false; readonly text: string | undefined; readonly isEarlier?: boolean };

/** The outcome of a plan that was to be committed with others: as {@link TransactionEngine.commit} settles. */
export type PlanOutcome = Committed | { readonly error: unknown };

/**
 * The commit of some plans with which a transaction of a consumer was to end was not made, and neither was the transaction. If all
 * outcomes are good, or there are none, it may succeed if it is made again.
 */
export class NotCommitted extends Error {
  override readonly name = "NotCommitted";
  /** @param outcomes those of the first plans. */
  constructor(readonly outcomes: readonly PlanOutcome[]) {
    super("What the handlers have changed could not be committed with their transaction");
  }
}

/** The end of a transaction of a consumer: the commit of what its handlers have changed. */
export interface Ending {
  /** The database that it is for. */
  readonly place: string;
}

/** Commits plans as the end of transactions of consumers, which have their data in the same database. */
export interface Endings {
  /** Identifies the database. */
  readonly place: string;
  /**
   * Prepares the commit of plans, in order. Nothing is locked until the transaction ends.
   *
   * @throws {NotCommitted} if one of them cannot be committed.
   */
  prepare(plans: readonly Plan[]): Promise<Ending>;
}

/** The part of a storage engine that transactions need. It reads the newest state, which need not be committed yet. */
export interface TransactionEngine {
  /** Resolves with a record, or with undefined if it does not exist. */
  newest(resource: Resource, id: number): Promise<Stored | undefined>;
  /** Resolves with the id of the record that has these values in a unique key, or with undefined if there is none. */
  newestByKey(resource: Resource, name: string, values: object): Promise<number | undefined>;
  /**
   * Resolves with the records that have these values, sorted by id, or with undefined if there are more than {@link mostListed}. At
   * least one of the fields has an index, all have the filter `exact`, and none is a time.
   */
  newestList(resource: Resource, where: object): Promise<readonly Stored[] | undefined>;
  /** Resolves with an id for a new record that no other record ever gets. */
  reserveId(resource: Resource): Promise<number>;
  /**
   * Compares the reads with the current state, and if they are the same applies the writes, all in one step. Resolves when the
   * writes, and everything that was read, are on disk. For a stale plan it resolves at once.
   */
  commit(plan: Plan): Promise<Committed>;
  /** Rejects as {@link commit} would if the changes of a plan were refused. Commits nothing, and does not look at its reads. */
  check(plan: Plan): Promise<void>;
  /** Resolves with an event of the log and those that led to it, each caused by the next. Empty if the log does not have it. */
  chain(id: string): Promise<readonly RelatedEvent[]>;
  /** Undefined if plans can only be committed by themselves. */
  readonly endings?: Endings | undefined;
}
