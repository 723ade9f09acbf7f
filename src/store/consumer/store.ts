import type { Ending } from "../transaction/engine";
import type { AttemptTable } from "./attempt-table";
import type { DeadLetterTable } from "./dead-letter-table";
import type { Inbox } from "./inbox";
import type { Lane, LaneProgress, Progress } from "./lanes";
import type { ReplayTable } from "./replay-table";
import type { Transaction } from "./transaction";
import type { WaitingTable } from "./waiting-table";

/** The data that one consumer keeps, in one of its transactions or outside of any. */
export interface ConsumerData {
  /** Resolves with the consumer's progress in a log: that of the lane that is least far. Resolves with undefined if it has never read it. */
  progress(logId: string): Promise<Progress | undefined>;
  /** Begins to read a log after a position, in all lanes, unless it has begun. Saves the event types that the consumer reads. */
  begin(logId: string, position: number, types: readonly string[]): Promise<void>;
  /**
   * Makes this process the one that reads lanes, and refuses what earlier holders save. Resolves with how far each is.
   *
   * @throws {PositionBeyondLog} if one is beyond the end of the log, in a store that keeps both together.
   */
  takeLanes(logId: string, lanes: readonly Lane[]): Promise<Progress[]>;
  /** Saves progress in lanes. Resolves with those that another process has taken; nothing is saved of them. */
  saveProgress(logId: string, lanes: readonly LaneProgress[]): Promise<Lane[]>;
  /** Resolves with the event types that the consumer reads in a log, or with undefined if none are saved for that log. */
  followedTypes(logId: string): Promise<readonly string[] | undefined>;
  /** Events that wait for their next attempt. */
  readonly waiting: WaitingTable;
  readonly dead: DeadLetterTable;
  readonly replays: ReplayTable;
  readonly inbox: Inbox;
  readonly transaction: Transaction;
  /**
   * Runs `change` in one transaction, and commits it when `change` has resolved. All calls that belong to the transaction go to `own`;
   * everything else waits until it has ended. A nested call is a part of the transaction: if it fails, only its own writes are rolled
   * back.
   */
  together<T>(change: (own: ConsumerData) => Promise<T>): Promise<T>;
  /** Of a transaction that is not a part of another one. Undefined if it cannot end with the commit of what handlers change. */
  readonly end?: TransactionEnd | undefined;
}

/** The end of a transaction. */
export interface TransactionEnd {
  /** Identifies the database. */
  readonly place: string;
  /**
   * Ends the transaction with the commit of what handlers have changed, in the same database. {@link ConsumerData.together} rejects with
   * `NotCommitted` if that cannot be committed.
   */
  with(ending: Ending): void;
}

/** The store of one consumer. */
export interface ConsumerStore extends ConsumerData {
  readonly attempts: AttemptTable;
  /**
   * Runs the `setup` of the consumer in a transaction, in one process at a time.
   *
   * @throws {CannotOpenStore} if the database refuses this program's user a statement that no other user has run.
   */
  setUp(setup: (tx: Transaction) => Promise<void>): Promise<void>;
  /** Counts that the process may have died while handling this event. Resolves with how often that has happened. */
  countDeath(eventId: string): Promise<number>;
  forgetDeaths(eventId: string): Promise<void>;
  /**
   * Corrects times that are too far in the future because the clock of an earlier process was ahead.
   *
   * @param now the current time by {@link steadyNow}.
   */
  bound(now: number): Promise<void>;
  /** Resolves with whether another process has written to it since the previous call. It takes microseconds. */
  changed(): Promise<boolean>;
  /** Resolves with whether it was removed or replaced, so that writes would be lost. */
  isReplaced(): Promise<boolean>;
  close(): Promise<void>;
}
