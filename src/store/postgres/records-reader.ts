import type { PostgresAddress } from "../../config/postgres-url";
import type { RecordsReader } from "../records";
import { openDatabase } from "./connection";
import { refuseNewer, schemaVersionOf, storeMigrations } from "./migrations";
import { recordColumns, type StoredRow, upToDate } from "./stored-row";

/**
 * Opens the records of a schema, to read them. Resolves with undefined if the schema does not exist.
 *
 * @throws {Error} if a newer program wrote the schema.
 */
export async function readRecords(address: PostgresAddress): Promise<RecordsReader | undefined> {
  const database = openDatabase(address, { readers: 1 });
  try {
    const version = await schemaVersionOf(database);
    refuseNewer(version, address, storeMigrations);
    if (version === 0) {
      await database.close();
      return undefined;
    }
  } catch (error) {
    await database.close();
    throw error;
  }
  const hasTable = async (plural: string) => {
    const [found] = await database.query<{ there: boolean }>("SELECT to_regclass(quote_ident($1)) IS NOT NULL AS there", plural);
    return found?.there === true;
  };
  return {
    async read(resource, after, limit) {
      if (!(await hasTable(resource.plural))) return [];
      const sql = `SELECT ${recordColumns} FROM "${resource.plural}" WHERE id > $1 ORDER BY id LIMIT $2`;
      return (await database.query<StoredRow>(sql, after, limit)).map((row) => upToDate(resource, row));
    },
    async lastId({ plural }) {
      if (!(await hasTable(plural))) return 0;
      const [last] = await database.query<{ id: number }>(`SELECT id FROM "${plural}" ORDER BY id DESC LIMIT 1`);
      return last?.id ?? 0;
    },
    close: () => void database.close(),
  };
}
