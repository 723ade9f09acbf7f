import type { PostgresAddress } from "../../config/postgres-url";
import { openDatabase } from "./connection/connection";

/** How long it may take to go through one table, in milliseconds. */
const patienceMs = 6 * 60 * 60_000;

/**
 * Frees the space of what was deleted, beside running processes. Their changes overwrite it. Resolves with false if the role does not own
 * all tables: it is not refused, but the server leaves those of others out.
 */
export async function freeSpace(address: PostgresAddress): Promise<boolean> {
  const database = openDatabase(address, { statementMs: patienceMs });
  try {
    const tables = await database.query<{ name: string; owned: boolean }>(
      "SELECT relname AS name, pg_has_role(relowner, 'USAGE') AS owned FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY relname",
      `"${address.schema}"`,
    );
    for (const { name, owned } of tables) if (owned) await database.writer.query(`VACUUM "${address.schema}"."${name}"`);
    return tables.every(({ owned }) => owned);
  } finally {
    await database.close();
  }
}
