import type { PostgresAddress } from "../../config/postgres-url";
import { openDatabase } from "./connection";
import { schemaVersionOf } from "./migrations";

/** Resolves with whether a process leads a task of the service now, as at least one of the running APIs does. */
export async function isLed(address: PostgresAddress): Promise<boolean> {
  const database = openDatabase(address, { readers: 1 });
  try {
    if ((await schemaVersionOf(database)) === 0) return false;
    return (await database.query("SELECT 1 FROM warren_leases WHERE expires_at > clock_timestamp() LIMIT 1")).length > 0;
  } finally {
    await database.close();
  }
}
