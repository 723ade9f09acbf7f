import type { Writer } from "../connection/queries";

/** How the tables of one queue are reached: in a transaction, or each statement for itself. */
export interface Access extends Writer {
  /** Returns the name of a table, such as `"warren.audit".warren_inbox`. */
  table(name: string): string;
}
