import { Database, type SQLQueryBindings } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { ConsumerTables } from "../../consumer/tables";
import type { SqlValue } from "../../consumer/transaction";
import { hasTable } from "../schema/has-table";

/**
 * Opens a consumer's file to read what its handlers have written. The consumer may be running: reading its file never blocks
 * it. Returns undefined if the file does not exist yet.
 */
export function openConsumerTables(file: string): ConsumerTables | undefined {
  if (!existsSync(file)) return undefined;
  const db = new Database(file, { readonly: true, strict: true });
  // Blocking is fine here: only commands use this, and they have nothing else to do.
  db.run("PRAGMA busy_timeout = 2000");
  return {
    has: async (table) => hasTable(db, table),
    get: async <Row>(sql: string, ...values: SqlValue[]) =>
      (db.query(sql).get(...(values as SQLQueryBindings[])) as Row | null) ?? undefined,
    all: async <Row>(sql: string, ...values: SqlValue[]) => db.query(sql).all(...(values as SQLQueryBindings[])) as Row[],
    close: async () => db.close(),
  };
}
