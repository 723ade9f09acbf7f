import type { Database } from "bun:sqlite";
import type { LogEntry, Scan, Scanned } from "./store";

/** Rows that one scan looks at: some milliseconds. */
const maxRows = 10_000;

type Bounds = { after: number; last: number; types: string | null; limit: number };

/** Reads a filtered part of the event log of an open database, at a bounded cost. */
export function logScanner(db: Database, end: () => number): (position: number, scan: Scan) => Scanned {
  const columns = "position, id, type, subject, timestamp, body, traceparent";
  const wanted = "($types IS NULL OR type IN (SELECT value FROM json_each($types)))";
  const inOrder = db.prepare<LogEntry, [Bounds]>(
    `SELECT ${columns} FROM events WHERE position > $after AND position <= $last AND ${wanted} ORDER BY position LIMIT $limit`,
  );
  // Records of several resources may have one id, and one of them a long history.
  const ofSubject = `SELECT position FROM events WHERE subject = $subject AND position > $after AND position <= $last ORDER BY position LIMIT ${maxRows}`;
  const bySubject = db.prepare<LogEntry, [Bounds & { subject: number }]>(
    `SELECT ${columns} FROM events WHERE position IN (${ofSubject}) AND ${wanted} ORDER BY position LIMIT $limit`,
  );
  const lastOfSubject = db.prepare<{ rows: number; last: number }, [{ subject: number; after: number; last: number }]>(
    `SELECT count(*) AS rows, max(position) AS last FROM (${ofSubject})`,
  );

  return (after, { types, subject, limit, maxLength }) => {
    const last = subject === null ? Math.min(end(), after + maxRows) : end();
    const bounds = { after, last, types: types && JSON.stringify(types), limit };
    const rows = subject === null ? inOrder.iterate(bounds) : bySubject.iterate({ ...bounds, subject });
    const entries: LogEntry[] = [];
    let length = 0;
    for (const row of rows) {
      entries.push(row);
      length += row.body.length;
      if (length >= maxLength) break;
    }
    const full = entries.length === limit || length >= maxLength;
    if (full) return { entries, position: entries.at(-1)?.position ?? after };
    const looked = subject === null ? undefined : lastOfSubject.get({ subject, after, last });
    return { entries, position: Math.max(after, looked?.rows === maxRows ? looked.last : last) };
  };
}
