import type { NewEvent } from "../../changes/event-appender";
import { eventInsert } from "../commit/event-insert";
import type { Uncommitted } from "../commit/uncommitted";

/** Returns a function that writes an event to the log with the running change. */
export function eventWrites(uncommitted: Uncommitted): (event: NewEvent) => void {
  const insert = uncommitted.prepare(eventInsert);
  return ({ id, type, subject, timestamp, body, traceparent, requestId, requestedAt, owner, scope, cause }) =>
    insert(id, type, subject, timestamp, body, traceparent, requestId, requestedAt, owner, scope, cause);
}
