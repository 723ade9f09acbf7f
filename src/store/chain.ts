import type { Event } from "../schema/event";
import { mostDepth, type RelatedEvent } from "./cause";
import type { LogEntry } from "./log";

type Find = (id: string) => Promise<LogEntry | undefined>;

/** Yields the events that led to an event, each caused by the next. Ends at one that the log does not have, such as one that was pruned. */
export async function* causesOf(find: Find, event: LogEntry): AsyncGenerator<LogEntry> {
  let last = event;
  for (let depth = 0; depth < mostDepth; depth += 1) {
    const { cause } = JSON.parse(last.body) as Event;
    const found = cause === undefined ? undefined : await find(cause);
    if (!found) return;
    yield found;
    last = found;
  }
}

/** Resolves with the event that has an id, and those that led to it, each caused by the next. Empty if the log does not have it. */
export async function chainOf(find: Find, id: string): Promise<RelatedEvent[]> {
  const event = await find(id);
  if (!event) return [];
  return [related(event), ...(await Array.fromAsync(causesOf(find, event), related))];
}

export function related({ id, type, subject }: LogEntry): RelatedEvent {
  return { id, type, subject };
}
