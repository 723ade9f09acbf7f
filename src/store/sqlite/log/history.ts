import type { Database } from "bun:sqlite";
import { typesWithErasure } from "../../../schema/erasure";
import type { Resource } from "../../../schema/resource";
import { type HistoryEntries, type HistoryPage, type HistoryReader, storedIn } from "../../history";
import type { LogEntry } from "../../log";
import type { Stored } from "../../stored";
import { reading } from "../connection/reading";
import { BoundedEntries, entryColumns } from "./bounded-entries";

/** Maximum number of rows that one page searches. Records of several resources may share an id. */
const maxRows = 10_000;

/** Reads the events of single records in an open database. */
export function sqliteHistory(db: Database): HistoryReader {
  const inPart = `SELECT position FROM events WHERE subject = $subject AND position < $before ORDER BY position DESC LIMIT ${maxRows}`;
  const newest = db.prepare<LogEntry, [{ subject: number; before: number; types: string; limit: number }]>(
    `SELECT ${entryColumns} FROM events WHERE position IN (${inPart}) AND type IN (SELECT value FROM json_each($types))
     ORDER BY position DESC LIMIT $limit`,
  );
  const lastInPart = db.prepare<{ rows: number; last: number }, [{ subject: number; before: number }]>(
    `SELECT count(*) AS rows, min(position) AS last FROM (${inPart})`,
  );

  function page(
    resource: Resource,
    subject: number,
    { before = Number.MAX_SAFE_INTEGER, limit, maxLength = Number.POSITIVE_INFINITY }: HistoryPage,
  ): HistoryEntries {
    const types = JSON.stringify(typesWithErasure(resource));
    const found = new BoundedEntries(before, { limit, maxLength });
    for (let more = true; more && !found.isFull; ) {
      const rows = newest.all({ subject, before: found.reached, types, limit: found.nextBatch });
      more = rows.length > 0;
      found.add(rows);
    }
    const { entries, reached, isFull } = found;
    const rest = lastInPart.get({ subject, before: reached });
    if (!rest?.rows) return { entries, next: null };
    return { entries, next: isFull ? reached : rest.rows === maxRows ? rest.last : null };
  }

  const findVersion = versionFinder(db);
  return {
    page: async (resource, id, wanted) => reading(() => page(resource, id, wanted)),
    version: async (resource, id, version) => reading(() => findVersion(resource, id, version)),
  };
}

/** Returns a function that finds the state of a record in a version. A binary search, because versions only increase. */
function versionFinder(db: Database): (resource: Resource, id: number, version: number) => Stored | undefined {
  const bounds = db.prepare<{ first: number | null; last: number | null }, [number]>(
    "SELECT min(position) AS first, max(position) AS last FROM events WHERE subject = ?",
  );
  type Place = { subject: number; from: number; types: string; path: string };
  const at = db.prepare<LogEntry & { recordVersion: number | null }, [Place]>(
    `SELECT ${entryColumns}, json_extract(body, $path) AS recordVersion FROM events
     WHERE subject = $subject AND position >= $from AND type IN (SELECT value FROM json_each($types)) ORDER BY position LIMIT 1`,
  );
  return (resource, subject, version) => {
    const { first, last } = bounds.get(subject) ?? {};
    const place = { subject, types: JSON.stringify(resource.eventTypes), path: `$.${resource.name}.version` };
    let [low, high] = [first ?? 1, last ?? 0];
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const entry = at.get({ ...place, from: middle });
      if (entry?.recordVersion === version) return storedIn(resource, entry);
      if (entry && (entry.recordVersion ?? 0) < version) low = entry.position + 1;
      else high = middle - 1;
    }
    return undefined;
  };
}

/** Returns a function that returns the state in which a record was deleted. Returns undefined if its last event is another one. */
export function deletedStates(db: Database): (resource: Resource, id: number) => Stored | undefined {
  const newest = db.prepare<LogEntry, [number, string]>(
    `SELECT ${entryColumns} FROM events WHERE subject = ? AND type IN (SELECT value FROM json_each(?)) ORDER BY position DESC LIMIT 1`,
  );
  return (resource, id) => {
    const entry = newest.get(id, JSON.stringify(resource.eventTypes));
    return entry?.type === `${resource.name}.deleted` ? storedIn(resource, entry) : undefined;
  };
}

/** Returns a function that returns whether the log has an event of a record. */
export function usedIds(db: Database): (resource: Resource, id: number) => boolean {
  const any = db.prepare<object, [number, string]>(
    "SELECT 1 FROM events WHERE subject = ? AND type IN (SELECT value FROM json_each(?)) LIMIT 1",
  );
  return (resource, id) => any.get(id, JSON.stringify(typesWithErasure(resource))) !== null;
}
