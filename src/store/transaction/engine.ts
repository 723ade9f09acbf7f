import type { Resource } from "../../schema/resource";
import type { ChangeContext } from "../change-context";
import type { Stored } from "../stored";
import type { TransactionContext } from "./transaction";

/** What a transaction has read: a record, or that there is none. */
export interface Read {
  readonly resource: Resource;
  readonly id: number;
  readonly found: Stored | undefined;
}

/** A change that a transaction makes. */
export interface Write {
  readonly kind: "insert" | "update" | "remove";
  readonly resource: Resource;
  /** The state to write, except for its version and times; the last state for `remove`. */
  readonly state: Stored;
  readonly emit: ChangeContext["emit"];
}

/** One try of a transaction, to be committed. */
export interface Plan {
  readonly reads: readonly Read[];
  /** The changes, in order. */
  readonly writes: readonly Write[];
  readonly context: TransactionContext;
  /**
   * Called in the commit with what was written, by the order of writes. Returns the result to keep for the idempotency key.
   * Undefined keeps none. May be called several times, but only the last call counts.
   */
  readonly answerOf: (written: readonly Stored[]) => string | undefined;
}

/**
 * What became of a plan:
 * - `isStale`: something that was read has changed. Nothing was committed.
 * - otherwise, `text` is what `answerOf` returned, or what the idempotency key has kept from an earlier transaction; then nothing
 *   was committed either.
 */
export type Committed = { readonly isStale: true } | { readonly isStale: false; readonly text: string | undefined };

/** What a transaction needs from an engine of the store. */
export interface TransactionEngine {
  /** Resolves with the newest state of a record, which need not be committed yet. */
  newest(resource: Resource, id: number): Promise<Stored | undefined>;
  /** Resolves with an id for a new record that no other record ever gets. */
  reserveId(resource: Resource): Promise<number>;
  /**
   * Compares the reads with the current state, and if they are the same applies the writes, all in one step. Resolves when the
   * writes, and everything that was read, are on disk. For a stale plan it resolves at once.
   */
  commit(plan: Plan): Promise<Committed>;
}
