import type { RelatedEvent, Timeline } from "../delivery/timeline";
import type { Event } from "../schema/event";
import { mostDepth } from "../store/cause";
import type { LogEntry } from "../store/log";
import type { Store } from "../store/store";

/** Maximum number of events to show that an event has caused. */
const mostCaused = 100;

/**
 * Follows the chain of causes of an event, up and down.
 *
 * @param isVisible returns whether to show an event.
 */
export async function relatedTo(
  { find, causedBy }: Pick<Store, "find" | "causedBy">,
  event: LogEntry,
  isVisible: (event: LogEntry) => boolean,
): Promise<Pick<Timeline, "causes" | "caused">> {
  const causes: RelatedEvent[] = [];
  for (let cause = causeOf(event); cause !== undefined && causes.length < mostDepth; ) {
    const found: LogEntry | undefined = await find(cause);
    // It is pruned, or of another program.
    if (!found) break;
    if (isVisible(found)) causes.push(related(found));
    cause = causeOf(found);
  }
  const caused = await causedBy(event.id, mostCaused);
  return { causes, caused: caused.filter(isVisible).map(related) };
}

function causeOf({ body }: LogEntry): string | undefined {
  return (JSON.parse(body) as Event).cause;
}

function related({ id, type, subject }: LogEntry): RelatedEvent {
  return { id, type, subject };
}
