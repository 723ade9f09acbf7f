import { uuidv7 } from "../../changes/commit-clock";
import type { LogEntry } from "../../log";
import type { EventRecord, Store } from "../../store";
import { plainText } from "../connection/plain-text";
import type { Queries } from "../connection/queries";
import { entryColumns } from "./selected-events";

/** Returns a function that finds an event by its id. */
export function eventFinder({ query }: Queries): Store["find"] {
  return async (id) => {
    if (!uuidv7.test(id)) return undefined;
    const [event] = await query<EventRecord>(
      `SELECT ${entryColumns}, request_id AS "requestId", requested_at AS "requestedAt",
         position <= (SELECT position FROM relay) AS relayed,
         CASE WHEN position <= (SELECT position FROM relay) THEN
           (SELECT at FROM relay_times WHERE relay_times.position >= events.position ORDER BY position LIMIT 1) END AS "relayedAt"
       FROM events WHERE id = $1::uuid AND position > (SELECT pruned_to FROM meta)`,
      id,
    );
    return event;
  };
}

/** Returns a function that finds the events that an event has caused. */
export function causedEvents({ query }: Queries): Store["causedBy"] {
  return (id, limit, after = 0) =>
    query<LogEntry>(
      `SELECT ${entryColumns} FROM events WHERE cause = $1 AND position > greatest($3::bigint, (SELECT pruned_to FROM meta)) ORDER BY position LIMIT $2`,
      plainText(id),
      limit,
      after,
    );
}
