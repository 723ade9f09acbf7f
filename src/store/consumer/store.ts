import type { SQLQueryBindings } from "bun:sqlite";
import type { AttemptTable } from "./attempt-table";
import type { DeadLetterTable } from "./dead-letter-table";
import type { Inbox } from "./inbox";
import type { ReplayTable } from "./replay-table";
import type { WaitingTable } from "./waiting-table";

/** A consumer's progress in an event log. */
export interface Progress {
  /** All events up to this position are settled or wait in the consumer's store. */
  readonly position: number;
  /** Events after `position` and up to this position may have reached a handler. */
  readonly begun: number;
}

/**
 * SQL on the consumer's own SQLite file, in the transaction that also records the event as handled. `values` are the
 * parameters of the statement. Its methods throw the errors of SQLite.
 */
export interface Transaction {
  /** Runs a statement. Returns the number of rows that it changed. */
  run(sql: string, ...values: SQLQueryBindings[]): number;
  /** Returns the first row of a query, or undefined if there is none. */
  get<Row = Record<string, unknown>>(sql: string, ...values: SQLQueryBindings[]): Row | undefined;
  /** Returns all rows of a query. */
  all<Row = Record<string, unknown>>(sql: string, ...values: SQLQueryBindings[]): Row[];
}

/** The data that one consumer keeps. */
export interface ConsumerStore {
  /** Returns the consumer's progress in a log, or undefined if it has never read that log. */
  progress(logId: string): Progress | undefined;
  saveProgress(logId: string, progress: Progress): void;
  /** Saves the event types that the consumer reads and, the first time only, the position where it starts. */
  saveFollows(logId: string, start: number, types: readonly string[]): void;
  /** Returns the event types that the consumer reads in a log, or undefined if none are saved for that log. */
  followedTypes(logId: string): readonly string[] | undefined;
  /** Events that wait for their next attempt. */
  readonly waiting: WaitingTable;
  readonly dead: DeadLetterTable;
  readonly replays: ReplayTable;
  readonly attempts: AttemptTable;
  /** Counts that the process may have died while handling this event. Returns how often that has happened. */
  countDeath(eventId: string): number;
  forgetDeaths(eventId: string): void;
  readonly inbox: Inbox;
  /**
   * Corrects times that are too far in the future because the clock of an earlier process was ahead.
   *
   * @param now the current time by {@link steadyNow}.
   */
  bound(now: number): void;
  readonly transaction: Transaction;
  /** Runs `change` in one transaction. If a nested call throws, only its own writes are rolled back. */
  together<T>(change: () => T): T;
  /** Returns whether another connection has written to it since the previous call. It takes microseconds. */
  changed(): boolean;
  /** Returns whether it was removed or replaced, so that writes would be lost. */
  isReplaced(): boolean;
  close(): void;
}
