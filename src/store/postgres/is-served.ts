import type { PostgresAddress } from "../../config/postgres-url";
import { openDatabase } from "./connection/connection";
import { servingProcesses } from "./leases/processes";
import { schemaVersionOf } from "./schema/migrations";

/** Resolves with whether an API serves the schema now, on whatever machine. */
export async function isSchemaServed(address: PostgresAddress): Promise<boolean> {
  const database = openDatabase(address, { readers: 1 });
  try {
    return (await schemaVersionOf(database)) > 0 && (await servingProcesses(database)).length > 0;
  } finally {
    await database.close();
  }
}
