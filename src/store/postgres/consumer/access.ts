import type { Queries, Value } from "../connection/queries";

/** How the tables of one queue are reached: in a transaction, or each statement for itself. */
export interface Access extends Queries {
  /** Runs a statement. Resolves with the number of rows that it changed. */
  change(sql: string, ...values: Value[]): Promise<number>;
  /** Returns the name of a table, such as `"warren.audit".warren_inbox`. */
  table(name: string): string;
}
