import type { Transaction } from "./transaction";

/** Read-only access to the tables that a consumer's handlers have created. */
export interface ConsumerTables extends Pick<Transaction, "get" | "all"> {
  has(table: string): Promise<boolean>;
  close(): Promise<void>;
}
