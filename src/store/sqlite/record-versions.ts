import type { Database } from "bun:sqlite";
import { convert } from "../../schema/convert";
import { type EventType, eventTypesOf, newestVersion } from "../../schema/event-type";
import type { PastVersion } from "../../schema/past-version";
import type { Recorded } from "../../schema/record";
import type { Resource } from "../../schema/resource";
import { serialize } from "../serialize";
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
        upcast(db, recordsAsEvents(resource), version);
        noteValid(db, resource);
      }
      db.run("INSERT OR REPLACE INTO warren_record_versions VALUES (?, ?)", [resource.name, newest]);
    }).immediate();
  }
}

/** Returns an event type whose versions are those of the resource's record, so that events and records share one conversion. */
function recordsAsEvents(resource: Resource): EventType {
  return eventTypesOf({ ...resource, past: pastRecordsOf(resource) })[0] as EventType;
}

/** Returns the newest version of the schema of a resource's records. */
export function newestVersionOf(resource: Resource): number {
  return pastRecordsOf(resource).length + 1;
}

function pastRecordsOf({ past }: Resource): PastVersion[] {
  return past.filter(({ event }) => event === undefined);
}

function isEmpty(db: Database, { plural }: Resource): boolean {
  return db.query(`SELECT 1 FROM "${plural}" LIMIT 1`).get() === null;
}

function upcast(db: Database, type: EventType, version: number): void {
  const { name, plural } = type.resource;
  const write = db.prepare(`UPDATE "${plural}" SET json = ? WHERE id = ?`);
  for (const rows of recordBatches(db, type.resource)) {
    for (const { id, version: changes, json } of rows) {
      try {
        const upcast = convert(type, { version, [name]: JSON.parse(json) as unknown }, newestVersion(type));
        const record = upcast[name] as Recorded<object>;
        write.run(serialize(type.resource, id, record, changes, record.createdAt, record.updatedAt).json, id);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`${name} ${id} cannot be converted to the newest schema; nothing was changed. ${why}`, { cause: error });
      }
    }
  }
}
