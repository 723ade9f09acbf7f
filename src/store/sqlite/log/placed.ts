import type { NewEvent } from "../../changes/event-appender";
import type { LogEntry } from "../../log";

/**
 * Returns the events of a commit with their positions in the log. One connection at a time writes, so that they follow each other.
 *
 * @param last position of the last one.
 */
export function placedUpTo(last: number, events: readonly NewEvent[]): LogEntry[] {
  const first = last - events.length + 1;
  return events.map(({ id, type, subject, timestamp, body, traceparent }, index) => {
    return { position: first + index, id, type, subject, timestamp, body, traceparent };
  });
}
