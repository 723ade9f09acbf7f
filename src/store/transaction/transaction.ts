import type { Recorded } from "../../schema/record";
import type { Proposed, Resource, ResourceTypes } from "../../schema/resource";
import type { ChangeContext, GuardedContext } from "../change-context";
import type { PatchOf } from "../patched";
import type { Exact } from "./exact";

/** Who asks for a transaction, and the Idempotency-Key with which. Each of its events carries the former. */
export type TransactionContext = Omit<ChangeContext, "emit" | "later" | "cancel">;

/** Details of a change in a transaction. */
export interface WriteOptions<T extends ResourceTypes> extends Pick<ChangeContext<T["events"]>, "emit" | "later" | "cancel"> {
  /**
   * True to make the change with the scope `admin`, whatever the actor's scopes: the resource's `owner` and `write` do not limit it. Its
   * tenant does. The event still names the actor. Default: false.
   */
  readonly asAdmin?: boolean;
}

/** Details of a change of a record that exists. */
export type GuardedWriteOptions<T extends ResourceTypes> = WriteOptions<T> & Pick<GuardedContext<T["events"]>, "guard">;

/**
 * Reads and changes several records. All changes are committed together with their events when the function of the transaction
 * returns, or none is. Nobody else sees some of them only. Its reads see its own changes.
 *
 * Await each call before the function returns. The records that a call resolves with are copies. Their `updatedAt`, and the
 * `createdAt` of new ones, are those of the commit, which sets them before the transaction resolves.
 *
 * A change rejects with the errors of `decide`: `InvalidChange`, `InvalidRecord` or `BrokenHook`; or with `Conflict` if it is one
 * change more than a transaction may make.
 */
export interface Transaction {
  /** Resolves with a record, or with undefined if it does not exist. */
  get<T extends ResourceTypes>(resource: Resource<T>, id: number): Promise<Recorded<T["fields"]> | undefined>;
  /** Resolves with a record. Rejects with `RecordNotFound` if it does not exist. */
  read<T extends ResourceTypes>(resource: Resource<T>, id: number): Promise<Recorded<T["fields"]>>;
  /**
   * Resolves with the record that has these values in a unique key, or with undefined if there is none.
   *
   * @param name name of the key: its fields, separated by commas.
   */
  findByKey<T extends ResourceTypes>(
    resource: Resource<T>,
    name: string,
    values: Partial<T["fields"]>,
  ): Promise<Recorded<T["fields"]> | undefined>;
  /**
   * Resolves with the records that have these values, sorted by id. Rejects with `Conflict` if there are more than 1,000.
   *
   * @param where values of fields with the filter `exact`, of which at least one has an index and none is a time.
   */
  list<T extends ResourceTypes>(resource: Resource<T>, where: Exact<T>): Promise<Recorded<T["fields"]>[]>;
  /** Creates a record. Its id may be out of the order of creation, and is not used again if the transaction fails. */
  insert<T extends ResourceTypes>(resource: Resource<T>, fields: Proposed<T>, options?: WriteOptions<T>): Promise<Recorded<T["fields"]>>;
  /**
   * Changes fields of a record. Rejects with `RecordNotFound` if it does not exist.
   *
   * @param patch the fields to change, or a function that returns them for the current record.
   */
  update<T extends ResourceTypes, const Patch extends PatchOf<T, Patch>>(
    resource: Resource<T>,
    id: number,
    patch: Patch | ((record: Recorded<T["fields"]>) => Patch),
    options?: GuardedWriteOptions<T>,
  ): Promise<Recorded<T["fields"]>>;
  /** Deletes a record and resolves with its last state. Rejects with `RecordNotFound` if it does not exist. */
  remove<T extends ResourceTypes>(resource: Resource<T>, id: number, options?: GuardedWriteOptions<T>): Promise<Recorded<T["fields"]>>;
}
