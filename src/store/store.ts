import type { Distribution } from "../observe/tally";
import type { BrokenHook } from "../schema/hook";
import type { Recorded } from "../schema/record";
import type { RefusedChange } from "../schema/refused-change";
import type { Proposed, Resource, ResourceTypes } from "../schema/resource";
import type { ChangeContext, EraseOptions, GuardedContext } from "./change-context";
import type { Erasure } from "./erasure";
import { ForgottenAwait, StoreUnavailable, TransactionGaveUp } from "./errors";
import type { HistoryReader } from "./history";
import type { Imported } from "./import";
import type { RecordsCheck } from "./invalid-records";
import type { Leadership } from "./leadership";
import type { Listing, Page } from "./listing";
import type { LogEntry, LogReader } from "./log";
import type { Peers } from "./peers";
import type { QueueStore } from "./queue-store";
import type { RelayTrouble } from "./relay-trouble";
import type { Schedules } from "./schedules";
import type { Stored } from "./stored";
import type { Timers } from "./timers";
import type { TransactionEngine } from "./transaction/engine";
import type { Transaction, TransactionContext } from "./transaction/transaction";

/** The outcome for one record of several: the record, or why it was not created. */
export type InsertOutcome = Stored | RefusedChange | BrokenHook;
/** The outcome for an imported record: `present` if a record with its id and its fields is there already. */
export type ImportOutcome = InsertOutcome | "present";

/**
 * Stores the resources and the event log. Every change commits together with its event, and its promise resolves only when
 * both are on disk.
 *
 * Every method may reject with {@link StoreUnavailable}. A method that writes a record or an event may also reject with the
 * errors of `decideChange`: `InvalidChange`, `InvalidRecord` or `BrokenHook`. Nothing has changed then, and other changes of the same
 * commit are not affected.
 */
export interface Store extends QueueStore {
  /** Creates a record with a new id and version 1, and its `created` event. */
  insert<T extends ResourceTypes>(resource: Resource<T>, fields: Proposed<T>, context?: ChangeContext<T["events"]>): Promise<Stored>;
  /** Creates several records, all or none, and resolves with the text that `answerOf` makes of them. */
  insertAll<T extends ResourceTypes>(
    resource: Resource<T>,
    fields: readonly Proposed<T>[],
    answerOf: (created: readonly Stored[]) => string,
    context?: ChangeContext,
  ): Promise<string>;
  /** Creates records as {@link insertAll} does, but a record that is refused does not keep the others from being created. */
  insertEach<T extends ResourceTypes>(
    resource: Resource<T>,
    fields: readonly Proposed<T>[],
    answerOf: (outcomes: readonly InsertOutcome[]) => string,
    context?: ChangeContext,
  ): Promise<string>;
  /**
   * Creates records with their own ids, for an import. A record that is refused does not keep the others from being created. An id that
   * a record has, or had as far as the log knows, is refused with `Conflict`.
   */
  importEach<T extends ResourceTypes>(resource: Resource<T>, records: readonly Imported<T>[]): Promise<ImportOutcome[]>;
  /**
   * Replaces the fields of a record with those that `change` returns for the current record. Resolves with the record, or with
   * undefined if it does not exist. If `change` throws, the promise rejects with that error and nothing changes.
   *
   * If the fields stay the same, the record keeps its version and time, and only the events of `emit` are added.
   */
  update<T extends ResourceTypes>(
    resource: Resource<T>,
    id: number,
    change: (current: Recorded<T["fields"]>) => Proposed<T>,
    context?: GuardedContext<T["events"]>,
  ): Promise<Stored | undefined>;
  /** Deletes a record. Resolves with its last state, or with undefined if it did not exist. */
  remove<T extends ResourceTypes>(resource: Resource<T>, id: number, context?: GuardedContext<T["events"]>): Promise<Stored | undefined>;
  /**
   * Creates a deleted record again, in its last state, with the same id and the next version, and its `created` event. Resolves with
   * the record, or with undefined if the log does not have the event of its deletion. Rejects with `Conflict` if the record exists.
   * `guard` gets the last state.
   */
  restore<T extends ResourceTypes>(resource: Resource<T>, id: number, context?: GuardedContext<T["events"]>): Promise<Stored | undefined>;
  /**
   * Reads and changes several records of any resources: all changes are committed together, or none. Resolves with what `work`
   * returns. If `work` throws, the promise rejects with that error and nothing changes.
   *
   * The result is as if the transactions and changes ran one after the other. If something that `work` has read changes before
   * the commit, be it a record or that there was none, `work` runs again, so it should have no effects of its own.
   *
   * With `once`, the result must be JSON, and is kept as that of other changes is.
   *
   * May reject with {@link TransactionGaveUp} if it still fails at the eighth try or takes more than 5 seconds until the commit, or
   * with {@link ForgottenAwait}. A transaction, or another change, inside of a transaction is refused.
   *
   * @example
   * store.transaction(async (tx) => {
   *   const { balance } = await tx.update(account, from, ({ balance }) => ({ balance: balance - amount }));
   *   if (balance < 0) throw new Conflict("The balance does not suffice.");
   *   await tx.update(account, to, ({ balance }) => ({ balance: balance + amount }));
   * })
   */
  transaction<T>(work: (tx: Transaction) => T | Promise<T>, context?: TransactionContext): Promise<T>;
  /** Reads and commits for transactions whose functions run elsewhere, such as the handler of a consumer. */
  readonly changing: TransactionEngine;
  /**
   * Takes all data of a record out of the store, in one commit: the record, its events in the log, whose positions stay, and stored
   * answers to its requests. The same for the records that are deleted with it, as references say. Publishes `<name>.erased`.
   * Resolves with what was erased, or with undefined if there is nothing. Rejects with `Conflict` if a reference restricts the deletion.
   */
  erase(resource: Resource, id: number, options?: EraseOptions): Promise<Erasure | undefined>;
  /** Resolves with a record, or with undefined if it does not exist. */
  get(resource: Resource, id: number): Promise<Stored | undefined>;
  /** Resolves with those of some records that exist, in any order, with one query. */
  getAll(resource: Resource, ids: readonly number[]): Promise<Stored[]>;
  /**
   * Resolves with the record that has these values in a unique key, or with undefined if there is none.
   *
   * @param name name of the key: its fields, separated by commas.
   * @param values a record of the key's fields. They are compared as the key compares them.
   */
  findByKey<T extends ResourceTypes>(resource: Resource<T>, name: string, values: Partial<T["fields"]>): Promise<Stored | undefined>;
  /**
   * Resolves with a page of records. Each page reads a bounded number of records, so with a filter it may have fewer rows than
   * `limit`, or none, and still have a `next`.
   */
  list(resource: Resource, listing: Listing): Promise<Page>;

  /** The events to publish later. */
  readonly timers: Timers;
  /** When consumers want to be called, again and again. */
  readonly schedules: Schedules;
  readonly log: LogReader;
  readonly history: HistoryReader;
  /** Resolves with the event that has this id, or with undefined if there is none. */
  find(id: string): Promise<EventRecord | undefined>;
  /**
   * Resolves with up to `limit` events that name an event as their cause, in commit order.
   *
   * @param after only those after this position. Default: all.
   */
  causedBy(id: string, limit: number, after?: number): Promise<LogEntry[]>;
  /** Identifies this log, so that a position in another log is not mistaken for one in this log. */
  readonly logId: string;
  /** Statistics since the store was opened. `appended` is the number of committed events by type. */
  readonly tally: { readonly commits: CommitTally; readonly appended: ReadonlyMap<string, number> };
  /**
   * Calls `listener` after commits that added events, whichever process made them. Returns a function that removes the listener.
   *
   * @param listener gets the events as the log has them, without a gap. Undefined if they have to be read from the log.
   */
  onAppend(listener: (appended?: readonly LogEntry[]) => void): () => void;
  /** The position up to which RabbitMQ has confirmed all events. The leader of `relay` moves it. */
  readonly relayed: {
    load(): Promise<number>;
    /** Resolves with the position, which no earlier leader can move from now on. */
    takeOver(leadership: Leadership): Promise<number>;
    /** Resolves with false, and saves nothing, if a later leader has taken over. */
    save(position: number, leadership: Leadership): Promise<boolean>;
  };
  /** Why events do not reach RabbitMQ although it is connected. Null if nothing hinders them. */
  readonly relayTrouble: {
    get(): Promise<RelayTrouble | null>;
    /** Saves nothing if a later leader of `relay` has taken over. */
    save(trouble: RelayTrouble | null, leadership: Leadership): Promise<void>;
  };

  /**
   * Waits until this process leads a task, such as `relay`, then runs `work` once. Settles as it does. Of all processes that serve the
   * database, one leads a task at a time, with any number of works. Resolves without running `work` if `stop` aborts first.
   *
   * @param work must end when the `until` of its leadership aborts. If that was because another process leads now, call `lead` again.
   */
  lead(task: string, stop: AbortSignal, work: (leadership: Leadership) => Promise<void>): Promise<void>;
  /** Undefined if no other process can serve the store. */
  readonly peers?: Peers | undefined;
  /** Deletes events older than `before` (ISO 8601) up to `position`. Resolves with the number of deleted events. */
  prune(before: string, position: number): Promise<number>;
  /** Finds invalid records of the resources whose schema has changed since all their records were last found valid. */
  readonly checkRecords: RecordsCheck;
  /** Returns whether the database was removed, or replaced by another one. */
  isReplaced(): boolean;
  /** Resolves with a sentence for each thing of the database that an operator should mend before changes fail. */
  problems(): Promise<readonly string[]>;
  /** Rejects with {@link StoreUnavailable} if the store cannot be written. */
  check(): Promise<void>;
  /** Commits the changes in progress, then closes the store. */
  close(): Promise<void>;
}

/** Statistics of commits since the store was opened. */
export interface CommitTally {
  /** Duration of commits, in seconds. */
  readonly seconds: Distribution;
  /** Changes per commit. */
  readonly changes: Distribution;
  /** Number of failed commits. */
  failures: number;
}

/** An event with the request that caused it and its delivery to RabbitMQ. */
export interface EventRecord extends LogEntry {
  /** The id of the request that made the change. Null if unknown. */
  readonly requestId: string | null;
  /** Time at which that request arrived, in milliseconds since 1970. Null if unknown. */
  readonly requestedAt: number | null;
  /** True if RabbitMQ has confirmed the event. */
  readonly relayed: boolean;
  /** Time by which RabbitMQ had confirmed the event, in milliseconds since 1970. Null if not confirmed, or if not recorded. */
  readonly relayedAt: number | null;
}
