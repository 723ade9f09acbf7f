import { stepsOf, valuesAt } from "../../schema/path-values";
import type { Resource } from "../../schema/resource";
import type { ErasedRecord } from "../erasure";
import { recordIn } from "../history";
import type { LogEntry } from "../log";

/** Rows searched before the event loop gets its turn. */
const slice = 10_000;

/** The events of deletions in the committed log. */
export interface DeletionLog {
  /** Resolves with the position of the newest event, or 0 if there is none. */
  end(): Promise<number>;
  /** Resolves with the events of a type after a position and up to another one, in order. */
  deletions(type: string, after: number, upTo: number): Promise<readonly Pick<LogEntry, "type" | "subject" | "body">[]>;
}

/**
 * Finds the deleted records that were, in their last state, to be deleted with any of some others, and those that were to be deleted with
 * them. They are only in the log, so it is searched as a whole.
 */
export function deletedReferrers(
  log: DeletionLog,
  resources: readonly Resource[],
): (of: readonly ErasedRecord[]) => Promise<ErasedRecord[]> {
  const referring = resources.flatMap((resource) => {
    const paths = resource.references
      .filter(({ onDelete }) => onDelete === "cascade")
      .map(({ path, to }) => ({ to, steps: stepsOf(path) }));
    return paths.length > 0 ? [{ resource, paths }] : [];
  });

  return async (of) => {
    const known = new Set(of.map(nameOf));
    const found: ErasedRecord[] = [];
    const end = await log.end();
    for (let more = referring.length > 0; more; ) {
      more = false;
      for (const { resource, paths } of referring) {
        for (let after = 0; after < end; after += slice) {
          for (const deletion of await log.deletions(`${resource.name}.deleted`, after, after + slice)) {
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
