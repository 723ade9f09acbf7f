import { typesWithErasure } from "../../../schema/erasure";
import type { Resource } from "../../../schema/resource";
import { type HistoryEntries, type HistoryPage, type HistoryReader, storedIn } from "../../history";
import type { LogEntry } from "../../log";
import type { Stored } from "../../stored";
import type { Queries } from "../connection/queries";
import { entryColumns } from "./selected-events";

/** Maximum number of rows that one page searches. Records of several resources may share an id. */
const maxRows = 10_000;
/** Number of bodies to read at a time, since each may be large. */
const batch = 64;

/** Reads the events of single records. */
export function postgresHistory(queries: Queries): HistoryReader {
  return {
    page: (resource, id, wanted) => page(queries, resource, id, wanted),
    version: (resource, id, version) => findVersion(queries, resource, id, version),
  };
}

/** Events of a record, and what was searched for them. */
interface Part {
  /** Positions of events of the resource, the last ones first. */
  readonly positions: readonly number[];
  /** Number of events of all records with the id that were searched. */
  readonly rows: number;
  /** Position of the first one. */
  readonly last: number | null;
}

async function page(
  queries: Queries,
  resource: Resource,
  subject: number,
  { before = Number.MAX_SAFE_INTEGER, limit, maxLength = Number.POSITIVE_INFINITY }: HistoryPage,
): Promise<HistoryEntries> {
  let searched = Math.min(maxRows, 2 * limit + batch);
  let part = await partOf(queries, resource, subject, before, limit, searched);
  if (part.positions.length < limit && part.rows === searched && searched < maxRows) {
    searched = maxRows;
    part = await partOf(queries, resource, subject, before, limit, searched);
  }
  const { positions, rows, last } = part;
  const entries: LogEntry[] = [];
  let length = 0;
  for (let start = 0; start < positions.length && length < maxLength; start += batch) {
    for (const entry of await entriesAt(queries, positions.slice(start, start + batch))) {
      if (length >= maxLength) break;
      entries.push(entry);
      length += entry.body.length;
    }
  }
  const reached = entries.at(-1)?.position ?? before;
  const isFull = entries.length === limit || length >= maxLength;
  const more = last !== null && (last < reached || rows === searched);
  if (!more) return { entries, next: null };
  return { entries, next: isFull ? reached : rows === searched ? last : null };
}

/** Searches up to `most` events before a position for those of a record. */
async function partOf({ query }: Queries, resource: Resource, subject: number, before: number, limit: number, most: number): Promise<Part> {
  // The comparisons of rows can only be made with the index of subjects. One by position could read the log of all records.
  const [part] = await query<Part>(
    `WITH part AS MATERIALIZED (
       SELECT position, type FROM events
       WHERE (subject, position) < ($1::bigint, $2::bigint) AND (subject, position) > ($1::bigint, (SELECT pruned_to FROM meta))
       ORDER BY subject DESC, position DESC LIMIT $5
     )
     SELECT ARRAY (SELECT position FROM part WHERE type = ANY ($3) ORDER BY position DESC LIMIT $4) AS positions,
       (SELECT count(*) FROM part) AS rows, (SELECT min(position) FROM part) AS last`,
    subject,
    before,
    typesWithErasure(resource),
    limit,
    most,
  );
  return part ?? { positions: [], rows: 0, last: null };
}

/** Reads the events at some positions, the last ones first. */
async function entriesAt({ query }: Queries, positions: readonly number[]): Promise<LogEntry[]> {
  return query<LogEntry>(
    `SELECT e.* FROM unnest($1::bigint[]) AS at(position)
     CROSS JOIN LATERAL (SELECT ${entryColumns} FROM events WHERE events.position = at.position OFFSET 0) AS e ORDER BY e.position DESC`,
    positions,
  );
}

/** Finds the state of a record in a version. A binary search, because versions only increase. */
async function findVersion({ query }: Queries, resource: Resource, subject: number, version: number): Promise<Stored | undefined> {
  const [ends] = await query<{ first: number | null; last: number | null }>(
    `SELECT (SELECT position FROM events WHERE (subject, position) > ($1::bigint, (SELECT pruned_to FROM meta)) AND (subject, position) <= ($1::bigint, $2::bigint)
       ORDER BY subject, position LIMIT 1) AS first,
     (SELECT position FROM events WHERE (subject, position) <= ($1::bigint, $2::bigint) AND (subject, position) > ($1::bigint, (SELECT pruned_to FROM meta))
       ORDER BY subject DESC, position DESC LIMIT 1) AS last`,
    subject,
    Number.MAX_SAFE_INTEGER,
  );
  let [low, high] = [ends?.first ?? 1, ends?.last ?? 0];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = await query<LogEntry>(
      `SELECT ${entryColumns} FROM events WHERE (subject, position) >= ($1::bigint, $2::bigint) AND (subject, position) <= ($1::bigint, $3::bigint)
       AND type = ANY ($4) ORDER BY subject, position LIMIT 1`,
      subject,
      middle,
      high,
      resource.eventTypes,
    );
    const found = entry && versionIn(resource, entry);
    if (entry && found === version) return storedIn(resource, entry);
    if (entry && (found ?? 0) < version) low = entry.position + 1;
    else high = middle - 1;
  }
  return undefined;
}

function versionIn({ name }: Resource, { body }: LogEntry): number | undefined {
  const event = JSON.parse(body) as Record<string, { version?: number } | undefined>;
  return event[name]?.version;
}
