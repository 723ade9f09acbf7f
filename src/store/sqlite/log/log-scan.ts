import type { Database } from "bun:sqlite";
import type { LogEntry, Scan, Scanned, VisibleEvents } from "../../log";
import { BoundedEntries, entryColumns } from "./bounded-entries";

/** Maximum number of rows that one scan searches, to bound how long it blocks the event loop. */
const maxRows = 10_000;

type Bounds = { after: number; last: number; types: string | null; limit: number } & Record<string, string | number | null>;

/** Returns a function that reads selected events of an open database, at a bounded cost. */
export function logScanner(db: Database, end: () => number): (position: number, scan: Scan) => Scanned {
  const wanted = "($types IS NULL OR type IN (SELECT value FROM json_each($types)))";
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

/** Returns a function that returns the statement for a number of {@link VisibleEvents}, prepared once. */
function byVisibility<T>(prepare: (condition: string) => T): (visible: readonly VisibleEvents[] | undefined) => T {
  const prepared = new Map<number, T>();
  return (visible) => {
    const count = visible?.length ?? -1;
    const known = prepared.get(count) ?? prepare(conditionFor(visible));
    prepared.set(count, known);
    return known;
  };
}

function conditionFor(visible: readonly VisibleEvents[] | undefined): string {
  const groups = visible?.map(
    (_, index) =>
      `(type IN (SELECT value FROM json_each($types${index})) AND ($owner${index} IS NULL OR owner = $owner${index})
        AND ($scope${index} IS NULL OR scope = $scope${index}))`,
  );
  return groups ? `(${groups.join(" OR ") || "FALSE"})` : "TRUE";
}

function bindingsOf(visible: readonly VisibleEvents[] = []): Record<string, string | null> {
  const bindings: Record<string, string | null> = {};
  for (const [index, { types, owner = null, scope = null }] of visible.entries()) {
    bindings[`types${index}`] = JSON.stringify(types);
    bindings[`owner${index}`] = owner;
    bindings[`scope${index}`] = scope;
  }
  return bindings;
}
