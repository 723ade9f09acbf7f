import type { LogReader } from "../../log";
import type { Queries } from "../connection/queries";
import { scanned } from "./scanned";
import { conditionFor, entryColumns, maxRows, wanted } from "./selected-events";

/** Returns a function that reads selected events, newest first, at a bounded cost, with one statement. */
export function backScanner({ query }: Queries): LogReader["scanBack"] {
  return async (before, selection) => {
    const { entries, reached, last } = await scanned(query, { ofAll: scanOfAll, ofSubject: scanOfSubject }, before, selection);
    return { entries, position: reached ?? last ?? 1 };
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
