import { Database, type SQLQueryBindings } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { Transaction } from "./file";

/** The tables that a consumer has made for itself, to be read and not written. */
export interface ConsumerTables extends Pick<Transaction, "get" | "all"> {
  has(table: string): boolean;
  close(): void;
}

/**
 * Opens a consumer's file to read what its handler has written, whether the consumer runs or not: it is never held up.
 * Undefined: the consumer has not made its file yet.
 */
export function openConsumerTables(file: string): ConsumerTables | undefined {
  if (!existsSync(file)) return undefined;
  const db = new Database(file, { readonly: true, strict: true });
  // A command has nothing else to do meanwhile.
  db.run("PRAGMA busy_timeout = 2000");
  return {
    has: (table) => db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== null,
    get: <Row>(sql: string, ...values: SQLQueryBindings[]) => (db.query(sql).get(...values) as Row | null) ?? undefined,
    all: <Row>(sql: string, ...values: SQLQueryBindings[]) => db.query(sql).all(...values) as Row[],
    close: () => db.close(),
  };
}
