import type { BulkTable, MovedRow, SmallKind } from "./moved-tables";

/** A store that moves, as it was when it was opened. */
export interface MoveSource {
  /** Its place, as messages show it. */
  readonly shown: string;
  readonly bytes: number;
  readonly state: SourceState;
  /** The tables of any number of rows, with their number of rows, in the order in which to copy them. */
  readonly tables: readonly { readonly table: BulkTable; readonly rows: number }[];
  /** Tables with records of a resource that this program does not declare. */
  readonly undeclared: readonly { readonly table: string; readonly records: number }[];
  /** Reads the rows of a table after a key, in parts of bounded size. */
  parts(table: BulkTable, after: number): Iterable<readonly MovedRow[]>;
  /** Returns the number of rows up to a key. */
  rowsUpTo(table: BulkTable, key: number): number;
  small(kind: SmallKind): readonly MovedRow[];
  /** Keeps the source from being used from now on, since all of it has moved. */
  retire(to: string): void;
  /** Undoes `retire`. */
  reinstate(): void;
  close(): void;
}

/** Tells whether a source is the one from which an earlier attempt has copied, in the same state. */
export interface SourceState {
  readonly logId: string;
  /** Position of the newest event that was ever added. */
  readonly end: number;
  /** The log has no events up to this position. */
  readonly pruned: number;
  /** The position up to which RabbitMQ has confirmed the log. */
  readonly relayed: number;
  /** Changes with what can change without an event. */
  readonly fingerprint: string;
}
