import type { Database } from "bun:sqlite";
import { stepsOf, valuesAt } from "../../schema/path-values";
import type { Resource } from "../../schema/resource";
import type { ErasedRecord } from "../erasure";
import { recordIn } from "../history";

/** Rows searched before the event loop gets its turn. */
const slice = 10_000;

type Deletion = { readonly type: string; readonly subject: number; readonly body: string };

/**
 * Finds the deleted records that were, in their last state, to be deleted with any of some others, and those that were to be deleted with
 * them. They are only in the log, so it is searched as a whole.
 */
export function deletedReferrers(db: Database, resources: readonly Resource[]): (of: readonly ErasedRecord[]) => Promise<ErasedRecord[]> {
  const deletions = db.prepare<Deletion, [string, number, number]>(
    "SELECT type, subject, body FROM events WHERE type = ? AND position > ? AND position <= ?",
  );
  const lastPosition = db.prepare<{ last: number | null }, []>("SELECT max(position) AS last FROM events");
  const referring = resources.flatMap((resource) => {
    const paths = resource.references
      .filter(({ onDelete }) => onDelete === "cascade")
      .map(({ path, to }) => ({ to, steps: stepsOf(path) }));
    return paths.length > 0 ? [{ resource, paths }] : [];
  });

  return async (of) => {
    const known = new Set(of.map(nameOf));
    const found: ErasedRecord[] = [];
    const end = lastPosition.get()?.last ?? 0;
    for (let more = referring.length > 0; more; ) {
      more = false;
      for (const { resource, paths } of referring) {
        for (let after = 0; after < end; after += slice) {
          for (const deletion of deletions.all(`${resource.name}.deleted`, after, after + slice)) {
            const record = { resource, id: deletion.subject };
            if (known.has(nameOf(record))) continue;
            const state = recordIn(resource, deletion);
            if (!paths.some(({ to, steps }) => valuesAt(state, steps).some(({ value }) => known.has(`${to}/${value}`)))) continue;
            known.add(nameOf(record));
            found.unshift(record);
            more = true;
          }
          await new Promise(setImmediate);
        }
      }
    }
    return found;
  };
}

function nameOf({ resource, id }: ErasedRecord): string {
  return `${resource.name}/${id}`;
}
