import type { LogReader } from "../../log";
import type { Queries } from "../connection/queries";
import { scanned } from "./scanned";
import { conditionFor, entryColumns, maxRows, wanted } from "./selected-events";

/** Returns a function that reads selected events, at a bounded cost, with one statement. */
export function logScanner({ query }: Queries): LogReader["scan"] {
  return async (after, selection) => {
    const { entries, reached, last } = await scanned(query, { ofAll: scanOfAll, ofSubject: scanOfSubject }, after, selection);
    return { entries, position: reached ?? Math.max(after, last ?? after) };
  };
}

/** The events of a part of the log: `part.last` is its end, also where it has none. */
const scan = (part: string, condition: string) => `
  ${part}
  SELECT part_end.last, found.* FROM part_end LEFT JOIN LATERAL (
    SELECT ${entryColumns} FROM (
      SELECT events.*, sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS bytes_before FROM (
        SELECT position, id, type, subject, timestamp, body, traceparent FROM ${condition} ORDER BY position LIMIT $3
      ) AS events
    ) AS events WHERE bytes_before < $4 ORDER BY position
  ) AS found ON true ORDER BY found.position`;

function scanOfAll(groups: number): string {
  return scan(
    `WITH part_end AS MATERIALIZED (
       SELECT pruned_to, least($1::bigint + ${maxRows}, greatest(pruned_to, coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0))) AS last
       FROM meta
     )`,
    `events WHERE position > $1::bigint AND position > part_end.pruned_to AND position <= part_end.last AND ${wanted} AND ${conditionFor(groups, 5)}`,
  );
}

/**
 * Records of several resources may share an id, and one of them may have a long history, so this is bounded, too. The comparisons of rows
 * can only be made with the index of subjects.
 */
function scanOfSubject(groups: number): string {
  return scan(
    `WITH part AS MATERIALIZED (
       SELECT position, type, owner, scope FROM events
       WHERE (subject, position) > ($5::bigint, greatest($1::bigint, (SELECT pruned_to FROM meta))) AND (subject, position) <= ($5::bigint, ${Number.MAX_SAFE_INTEGER})
       ORDER BY subject, position LIMIT ${maxRows}
     ), part_end AS MATERIALIZED (
       SELECT CASE count(*) WHEN ${maxRows} THEN max(position) ELSE
         (SELECT greatest(pruned_to, coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0)) FROM meta) END AS last FROM part
     )`,
    `(SELECT position AS wanted_position FROM part WHERE ${wanted} AND ${conditionFor(groups, 6)} ORDER BY position LIMIT $3) AS chosen
       JOIN events ON events.position = chosen.wanted_position`,
  );
}
