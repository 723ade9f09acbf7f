import type { Database } from "bun:sqlite";
import type { LogEntry, Scan, Scanned } from "../../log";
import { BoundedEntries, entryColumns } from "./bounded-entries";
import { bindingsOf, byVisibility, maxRows, wanted } from "./selected-events";

type Bounds = { before: number; first: number; types: string | null; limit: number } & Record<string, string | number | null>;

/** Returns a function that reads selected events of an open database, newest first, at a bounded cost. */
export function backScanner(db: Database, end: () => number): (position: number, scan: Scan) => Scanned {
  const inOrder = byVisibility((visible) =>
    db.prepare<LogEntry, [Bounds]>(
      `SELECT ${entryColumns} FROM events WHERE position < $before AND position >= $first AND ${wanted} AND ${visible} ORDER BY position DESC LIMIT $limit`,
    ),
  );
  const ofSubject = `SELECT position FROM events WHERE subject = $subject AND position < $before ORDER BY position DESC LIMIT ${maxRows}`;
  const bySubject = byVisibility((visible) =>
    db.prepare<LogEntry, [Bounds]>(
      `SELECT ${entryColumns} FROM events WHERE position IN (${ofSubject}) AND position >= $first AND ${wanted} AND ${visible} ORDER BY position DESC LIMIT $limit`,
    ),
  );
  const firstOfSubject = db.prepare<{ rows: number; first: number }, [{ subject: number; before: number }]>(
    `SELECT count(*) AS rows, min(position) AS first FROM (${ofSubject})`,
  );

  return (before, { types, subject, visible, limit, maxLength }) => {
    const start = Math.min(before, end() + 1);
    const looked = subject === null ? undefined : firstOfSubject.get({ subject, before: start });
    const first = subject === null ? Math.max(1, start - maxRows) : looked?.rows === maxRows ? looked.first : 1;
    const found = new BoundedEntries(start, { limit, maxLength });
    for (let more = true; more && !found.isFull; ) {
      const bounds: Bounds = {
        ...bindingsOf(visible),
        ...{ before: found.reached, first, types: types && JSON.stringify(types), limit: found.nextBatch },
      };
      const rows = subject === null ? inOrder(visible).all(bounds) : bySubject(visible).all({ ...bounds, subject });
      more = rows.length === bounds.limit;
      found.add(rows);
    }
    return { entries: found.entries, position: found.isFull ? (found.entries.at(-1)?.position ?? before) : first };
  };
}
