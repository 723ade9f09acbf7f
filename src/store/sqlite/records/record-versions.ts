import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import { newestVersionOf, upcastRecord } from "../../upcasting";
import { recordBatches } from "./record-batches";
import { noteValid } from "./record-checks";

/**
 * Converts records written by an older program to the newest version of their schema, with the upcasters of events. Readers,
 * filters and changes then see one shape. The record keeps its version and time, and no event is added.
 *
 * @throws {Error} if an upcaster fails on a record, or a newer program wrote the records. The resource's records then stay
 *   unchanged.
 */
export function upcastRecords(db: Database, resources: readonly Resource[]): void {
  db.run("CREATE TABLE IF NOT EXISTS warren_record_versions (resource TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
  const known = db.prepare<{ version: number }, [string]>("SELECT version FROM warren_record_versions WHERE resource = ?");
  for (const resource of resources) {
    const newest = newestVersionOf(resource);
    if (known.get(resource.name)?.version === newest) continue;
    db.transaction(() => {
      // Records without a stored version have the first one.
      const version = known.get(resource.name)?.version ?? (isEmpty(db, resource) ? newest : 1);
      if (version > newest) {
        throw new Error(
          `The records of "${resource.name}" have schema version ${version}, but this program knows versions up to ${newest}: ` +
            "they were last used by a newer version of the program. Start that version, or set another file in DATABASE_URL.",
        );
      }
      if (version < newest) {
        upcast(db, resource, version);
        noteValid(db, resource);
      }
      db.run("INSERT OR REPLACE INTO warren_record_versions VALUES (?, ?)", [resource.name, newest]);
    }).immediate();
  }
}

function isEmpty(db: Database, { plural }: Resource): boolean {
  return db.query(`SELECT 1 FROM "${plural}" LIMIT 1`).get() === null;
}

function upcast(db: Database, resource: Resource, version: number): void {
  const write = db.prepare(`UPDATE "${resource.plural}" SET json = ? WHERE id = ?`);
  for (const rows of recordBatches(db, resource)) for (const row of rows) write.run(upcastRecord(resource, row, version).json, row.id);
}
