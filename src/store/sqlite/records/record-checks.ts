import type { Database } from "bun:sqlite";
import type { Resource } from "../../../schema/resource";
import { type CheckedRecords, fingerprintOf } from "../../changes/record-checks";
import { recordBatches } from "./record-batches";

export const recordChecksSchema = `
  -- The schema that all records of a resource were checked with last.
  CREATE TABLE warren_record_checks (resource TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) STRICT;
`;

/** Returns access to the records, for their check. */
export function checkedRecords(db: Database): CheckedRecords {
  const last = db.prepare<{ fingerprint: string }, [string]>("SELECT fingerprint FROM warren_record_checks WHERE resource = ?");
  return {
    lastFingerprint: async ({ name }) => last.get(name)?.fingerprint,
    save: async (resource, fingerprint) => save(db, resource, fingerprint),
    batches: (resource) => recordBatches(db, resource),
  };
}

/** Stores that all records of a resource match its current schema. */
export function noteValid(db: Database, resource: Resource): void {
  save(db, resource, fingerprintOf(resource));
}

function save(db: Database, { name }: Resource, fingerprint: string): void {
  db.run("INSERT OR REPLACE INTO warren_record_checks VALUES (?, ?)", [name, fingerprint]);
}
