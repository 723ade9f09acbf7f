import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import type { RecordsReader } from "../records";
import type { Stored } from "../stored";
import { hasTable } from "./schema/has-table";
import { refuseNewer, schemaVersionOf, storeMigrations } from "./schema/migrations";

/**
 * Opens the records of an API that runs in another process, read-only. Returns undefined if there is no database.
 *
 * @throws {Error} if a newer program wrote the database. This and every read throw `SQLITE_BUSY` while another process locks
 *   the database exclusively.
 */
export function readRecords(file: string): RecordsReader | undefined {
  if (!existsSync(file)) return undefined;
  const db = new Database(file, { readonly: true, strict: true });
  try {
    refuseNewer(schemaVersionOf(db), file, storeMigrations);
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    read: async (resource, after, limit) =>
      hasTable(db, resource.plural)
        ? db
            .query<Stored, [number, number]>(`SELECT id, version, json FROM "${resource.plural}" WHERE id > ? ORDER BY id LIMIT ?`)
            .all(after, limit)
        : [],
    lastId: async (resource) =>
      hasTable(db, resource.plural)
        ? (db.query<{ id: number | null }, []>(`SELECT max(id) AS id FROM "${resource.plural}"`).get()?.id ?? 0)
        : 0,
    close: () => db.close(),
  };
}
