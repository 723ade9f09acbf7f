import type { LogEntry, LogReader } from "../../log";
import type { Queries, Value } from "../connection/queries";
import { bytesOfCharacter, conditionFor, entryColumns, lengthOf, maxRows, valuesOf, wanted, within } from "./selected-events";

/** `last`: the first position of the part that was searched. */
type Found = { readonly last: number } & (LogEntry | { readonly position: null });

/** Returns a function that reads selected events, newest first, at a bounded cost, with one statement. */
export function backScanner({ query }: Queries): LogReader["scanBack"] {
  return async (before, { types, subject, visible, limit, maxLength }) => {
    const bounds: Value[] = [before, types, limit, Math.min(bytesOfCharacter * maxLength, Number.MAX_SAFE_INTEGER)];
    const groups = visible?.length ?? -1;
    const rows =
      subject === null
        ? await query<Found>(scanOfAll(groups), ...bounds, ...valuesOf(visible))
        : await query<Found>(scanOfSubject(groups), ...bounds, subject, ...valuesOf(visible));
    const found = rows.filter((row): row is LogEntry & Found => row.position !== null);
    const entries = within(found, maxLength);
    const isFull = entries.length === limit || entries.length < found.length || lengthOf(entries) >= maxLength;
    return { entries, position: isFull ? (entries.at(-1)?.position ?? before) : (rows[0]?.last ?? 1) };
  };
}

/** The events of a part of the log: `part_start.last` is its first position, also where it has none. */
const scan = (part: string, condition: string) => `
  ${part}
  SELECT part_start.last, found.* FROM part_start LEFT JOIN LATERAL (
    SELECT ${entryColumns} FROM (
      SELECT events.*, sum(octet_length(body)) OVER (ORDER BY position DESC) - octet_length(body) AS bytes_before FROM (
        SELECT position, id, type, subject, timestamp, body, traceparent FROM ${condition} ORDER BY position DESC LIMIT $3
      ) AS events
    ) AS events WHERE bytes_before < $4 ORDER BY position DESC
  ) AS found ON true ORDER BY found.position DESC`;

const end = "greatest(pruned_to, coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0))";

function scanOfAll(groups: number): string {
  return scan(
    `WITH part_start AS MATERIALIZED (
       SELECT pruned_to, least($1::bigint, ${end} + 1) AS start, greatest(1, least($1::bigint, ${end} + 1) - ${maxRows}) AS last FROM meta
     )`,
    `events WHERE position < part_start.start AND position >= part_start.last AND position > part_start.pruned_to AND ${wanted} AND ${conditionFor(groups, 5)}`,
  );
}

/** The comparisons of rows can only be made with the index of subjects. */
function scanOfSubject(groups: number): string {
  return scan(
    `WITH part AS MATERIALIZED (
       SELECT position, type, owner, scope FROM events
       WHERE (subject, position) < ($5::bigint, $1::bigint) AND (subject, position) > ($5::bigint, (SELECT pruned_to FROM meta))
       ORDER BY subject DESC, position DESC LIMIT ${maxRows}
     ), part_start AS MATERIALIZED (
       SELECT CASE count(*) WHEN ${maxRows} THEN min(position) ELSE 1 END AS last FROM part
     )`,
    `(SELECT position AS wanted_position FROM part WHERE ${wanted} AND ${conditionFor(groups, 6)} ORDER BY position DESC LIMIT $3) AS chosen
       JOIN events ON events.position = chosen.wanted_position`,
  );
}
