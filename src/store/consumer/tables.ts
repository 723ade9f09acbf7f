import type { Transaction } from "./store";

/** Read-only access to the tables that a consumer's handlers have created. */
export interface ConsumerTables extends Pick<Transaction, "get" | "all"> {
  has(table: string): boolean;
  close(): void;
}
