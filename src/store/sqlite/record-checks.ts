import type { Database } from "bun:sqlite";
import { listMistakes } from "../../schema/check";
import { essenceOf, type JsonSchema } from "../../schema/compatibility";
import type { Resource } from "../../schema/resource";
import { mistakesInWritten } from "../../schema/written";
import type { InvalidRecords, OnProgress } from "../invalid-records";
import { recordBatches } from "./record-batches";

/** Version of the validation rules. Increase it when they become stricter, so that every record is checked again. */
const rules = 1;
/** Maximum number of invalid records to report per resource. */
const mostNamed = 5;
const progressMs = 2000;

export const recordChecksSchema = `
  -- The schema that all records of a resource were checked with last.
  CREATE TABLE warren_record_checks (resource TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) STRICT;
`;

/**
 * Checks the stored records of each resource whose schema has changed since its last check. If all records of a resource are
 * valid, stores its schema's fingerprint. Yields to the event loop between batches.
 *
 * @returns the resources with invalid records.
 */
export async function checkRecords(db: Database, resources: readonly Resource[], onProgress: OnProgress): Promise<InvalidRecords[]> {
  const last = db.prepare<{ fingerprint: string }, [string]>("SELECT fingerprint FROM warren_record_checks WHERE resource = ?");
  const invalid: InvalidRecords[] = [];
  for (const resource of resources) {
    if (last.get(resource.name)?.fingerprint === fingerprintOf(resource)) continue;
    const found = await findInvalid(db, resource, onProgress);
    if (found.length > 0) invalid.push({ resource: resource.name, found, more: found.length === mostNamed });
    else noteValid(db, resource);
  }
  return invalid;
}

/** Stores that all records of a resource match its current schema. */
export function noteValid(db: Database, resource: Resource): void {
  db.run("INSERT OR REPLACE INTO warren_record_checks VALUES (?, ?)", [resource.name, fingerprintOf(resource)]);
}

async function findInvalid(db: Database, resource: Resource, onProgress: OnProgress): Promise<InvalidRecords["found"]> {
  const found: { id: number; mistakes: string }[] = [];
  let checked = 0;
  let saidAt = performance.now();
  for (const rows of recordBatches(db, resource)) {
    for (const { id, json } of rows) {
      const mistakes = mistakesInWritten(resource.record, JSON.parse(json) as object);
      if (mistakes.length > 0 && found.push({ id, mistakes: listMistakes(mistakes) }) === mostNamed) return found;
    }
    checked += rows.length;
    if (performance.now() - saidAt >= progressMs) {
      onProgress(resource.name, checked);
      saidAt = performance.now();
    }
    await new Promise(setImmediate);
  }
  return found;
}

/** Returns a hash of the record's schema. Keywords that only describe, such as titles and examples, do not affect it. */
function fingerprintOf({ record }: Resource): string {
  const schema = essenceOf(JSON.parse(JSON.stringify(record)) as JsonSchema);
  return `${rules} ${new Bun.CryptoHasher("sha256").update(JSON.stringify(schema)).digest("base64url")}`;
}
