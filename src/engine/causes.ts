import type { Timeline } from "../delivery/timeline";
import type { RelatedEvent } from "../store/cause";
import { causesOf, related } from "../store/chain";
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
  for await (const cause of causesOf(find, event)) if (isVisible(cause)) causes.push(related(cause));
  const caused = await causedBy(event.id, mostCaused);
  return { causes, caused: caused.filter(isVisible).map(related) };
}
