import type { Transaction } from "../consumer/transaction";
import type { MovedRow } from "./moved-tables";

/** The data of one queue's consumer, as it was when it was opened. */
export interface ConsumerMoveSource {
  readonly queue: string;
  /** Its place, as messages show it. */
  readonly shown: string;
  /** Number of rows of each of Warren's tables. */
  readonly rows: Readonly<Record<ConsumerTable, number>>;
  /** The tables that the consumer's handlers have created. */
  readonly own: readonly OwnTable[];
  /** Reads a table in the order of its first column, in parts of bounded size. */
  parts(table: ConsumerTable): Iterable<readonly MovedRow[]>;
  /** Reads a table of the handlers, in parts of bounded size. */
  ownParts(table: OwnTable): Iterable<readonly OwnRow[]>;
  /** Keeps the source from being used from now on, since all of it has moved. */
  retire(to: string): void;
  /** Undoes `retire`. */
  reinstate(): void;
  close(): void;
}

export type ConsumerTable = keyof typeof consumerColumns;

/** Columns of what Warren keeps of a consumer. The first one is the key. */
export const consumerColumns = {
  progress: ["logId", "position", "begun"],
  follows: ["logId", "start", "types"],
  replays: [
    ...["id", "logId", "queue", "fill", "selection", "first", "last", "sent", "createdAt", "finishedAt", "error"],
    ...["position", "begun"],
  ],
  waiting: [...["number", "id", "body", "attempts", "dueAt", "delayMs", "firstFailure", "replay", "traceparent", "begun"]],
  dead: [
    ...["number", "id", "type", "body", "reason", "error", "stack", "attempts"],
    ...["firstFailure", "lastFailure", "replay", "traceparent"],
  ],
  deaths: ["id", "count"],
  attempts: ["number", "id", "attempt", "at", "outcome", "reason", "error", "dueAt"],
  inbox: ["id", "at"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/** A table that the handlers of a consumer have created. */
export interface OwnTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

/** Values in the order of the table's columns, as text: bytes as `\x` and hexadecimal digits. */
export type OwnRow = readonly (string | null)[];

/** How to move a consumer. */
export interface ConsumerMove {
  readonly source: ConsumerMoveSource;
  /** Creates the tables of its handlers, as the consumer does at its start. Undefined if they stay where they are. */
  readonly setup: ((tx: Transaction) => unknown) | undefined;
  /** True to replace what an earlier attempt has copied. If false, the consumer must not have been started with the target. */
  readonly replace: boolean;
}
