import type { Database } from "bun:sqlite";
import type { LogEntry, Scan, Scanned } from "../../log";
import { BoundedEntries, entryColumns } from "./bounded-entries";
import { bindingsOf, byVisibility, maxRows, wanted } from "./selected-events";

type Bounds = { after: number; last: number; types: string | null; limit: number } & Record<string, string | number | null>;

/** Returns a function that reads selected events of an open database, at a bounded cost. */
export function logScanner(db: Database, end: () => number): (position: number, scan: Scan) => Scanned {
  const inOrder = byVisibility((visible) =>
    db.prepare<LogEntry, [Bounds]>(
      `SELECT ${entryColumns} FROM events WHERE position > $after AND position <= $last AND ${wanted} AND ${visible} ORDER BY position LIMIT $limit`,
    ),
  );
  // Records of several resources may share an id, and one of them may have a long history, so this is bounded, too.
  const ofSubject = `SELECT position FROM events WHERE subject = $subject AND position > $after AND position <= $last ORDER BY position LIMIT ${maxRows}`;
  const bySubject = byVisibility((visible) =>
    db.prepare<LogEntry, [Bounds]>(
      `SELECT ${entryColumns} FROM events WHERE position IN (${ofSubject}) AND ${wanted} AND ${visible} ORDER BY position LIMIT $limit`,
    ),
  );
  const lastOfSubject = db.prepare<{ rows: number; last: number }, [{ subject: number; after: number; last: number }]>(
    `SELECT count(*) AS rows, max(position) AS last FROM (${ofSubject})`,
  );

  return (after, { types, subject, visible, limit, maxLength }) => {
    const last = subject === null ? Math.min(end(), after + maxRows) : end();
    const found = new BoundedEntries(after, { limit, maxLength });
    for (let more = true; more && !found.isFull; ) {
      const bounds: Bounds = {
        ...bindingsOf(visible),
        after: found.reached,
        last,
        types: types && JSON.stringify(types),
        limit: found.nextBatch,
      };
      const rows = subject === null ? inOrder(visible).all(bounds) : bySubject(visible).all({ ...bounds, subject });
      more = rows.length === bounds.limit;
      found.add(rows);
    }
    const { entries, reached } = found;
    if (found.isFull) return { entries, position: reached };
    const looked = subject === null ? undefined : lastOfSubject.get({ subject, after, last });
    return { entries, position: Math.max(reached, looked?.rows === maxRows ? looked.last : last) };
  };
}
