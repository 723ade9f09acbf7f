import type { PostgresAddress } from "../../../config/postgres-url";
import type { Resource } from "../../../schema/resource";
import type { RecordsReader } from "../../records";
import { openDatabase } from "../connection/connection";
import { refuseNewer, schemaVersionOf, storeMigrations } from "../schema/migrations";
import { recordColumns, type StoredRow, upToDate } from "./stored-row";

/**
 * Opens the records of an API that runs in another process. Resolves with undefined if no API has created the schema yet.
 *
 * @throws {Error} if a newer program wrote the schema, or the database cannot be reached.
 */
export async function readRecords(address: PostgresAddress): Promise<RecordsReader | undefined> {
  const database = openDatabase(address, { readers: 1 });
  try {
    const version = await schemaVersionOf(database);
    refuseNewer(version, address, storeMigrations);
    if (version > 0) return readerOf(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  await database.close();
  return undefined;
}

function readerOf({ query, close }: ReturnType<typeof openDatabase>): RecordsReader {
  const hasTable = async ({ plural }: Resource) => {
    const [found] = await query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", `"${plural}"`);
    return found?.there === true;
  };
  return {
    async read(resource, after, limit) {
      if (!(await hasTable(resource))) return [];
      const sql = `SELECT ${recordColumns} FROM "${resource.plural}" WHERE id > $1 ORDER BY id LIMIT $2`;
      return (await query<StoredRow>(sql, after, limit)).map((row) => upToDate(resource, row));
    },
    async lastId(resource) {
      if (!(await hasTable(resource))) return 0;
      const [row] = await query<{ id: number | null }>(`SELECT max(id) AS id FROM "${resource.plural}"`);
      return row?.id ?? 0;
    },
    close: () => void close(),
  };
}
