import { listMistakes } from "../../schema/check";
import { essenceOf, type JsonSchema } from "../../schema/compatibility";
import type { Resource } from "../../schema/resource";
import { mistakesInWritten } from "../../schema/written";
import type { InvalidRecords, OnProgress } from "../invalid-records";
import type { Stored } from "../stored";

/** Version of the validation rules. Increase it when they become stricter, so that every record is checked again. */
const rules = 1;
/** Maximum number of invalid records to report per resource. */
const mostNamed = 5;
const progressMs = 2000;

/** The records of an engine, with the schema that all records of a resource were checked with last, as a fingerprint. */
export interface CheckedRecords {
  lastFingerprint(resource: Resource): Promise<string | undefined>;
  save(resource: Resource, fingerprint: string): Promise<void>;
  /** Reads all records of a resource in batches, in ascending order of id. */
  batches(resource: Resource): AsyncIterable<readonly Stored[]> | Iterable<readonly Stored[]>;
}

/**
 * Checks the stored records of each resource whose schema has changed since its last check. If all records of a resource are
 * valid, stores its schema's fingerprint. Yields to the event loop between batches.
 *
 * @returns the resources with invalid records.
 */
export async function checkRecords(
  records: CheckedRecords,
  resources: readonly Resource[],
  onProgress: OnProgress,
): Promise<InvalidRecords[]> {
  const invalid: InvalidRecords[] = [];
  for (const resource of resources) {
    const fingerprint = fingerprintOf(resource);
    if ((await records.lastFingerprint(resource)) === fingerprint) continue;
    const found = await findInvalid(records, resource, onProgress);
    if (found.length > 0) invalid.push({ resource: resource.name, found, more: found.length === mostNamed });
    else await records.save(resource, fingerprint);
  }
  return invalid;
}

async function findInvalid(records: CheckedRecords, resource: Resource, onProgress: OnProgress): Promise<InvalidRecords["found"]> {
  const found: { id: number; mistakes: string }[] = [];
  let checked = 0;
  let saidAt = performance.now();
  for await (const rows of records.batches(resource)) {
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
export function fingerprintOf({ record }: Resource): string {
  const schema = essenceOf(JSON.parse(JSON.stringify(record)) as JsonSchema);
  return `${rules} ${new Bun.CryptoHasher("sha256").update(JSON.stringify(schema)).digest("base64url")}`;
}
