import type { PostgresAddress } from "../../config/postgres-url";
import { openDatabase } from "./connection/connection";

/** How long it may take to go through one table, in milliseconds. */
const patienceMs = 6 * 60 * 60_000;

/** Frees the space of what was deleted, beside running processes. Their changes overwrite it. */
export async function freeSpace(address: PostgresAddress): Promise<void> {
  const database = openDatabase(address, { statementMs: patienceMs });
  try {
    const tables = await database.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY relname",
      `"${address.schema}"`,
    );
    for (const { name } of tables) await database.writer.query(`VACUUM "${address.schema}"."${name}"`);
  } finally {
    await database.close();
  }
}
