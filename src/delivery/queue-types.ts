import type { Catalogue } from "../schema/catalogue";
import type { QueueSubscription } from "../store/queue-store";
import type { ReplaySelection } from "./replay-selection";

/**
 * Returns the event types that belong on a queue of RabbitMQ: those of the resource whose queue it is, or those that its
 * consumer has announced. Returns null for a queue of which nothing is known.
 */
export function typesOnQueue(queue: string, catalogue: Catalogue, subscriptions: readonly QueueSubscription[]): readonly string[] | null {
  const announced = () => subscriptions.find((subscription) => subscription.queue === queue)?.types ?? null;
  return catalogue.ownerOf(queue)?.eventTypes ?? announced();
}

/** Leaves out of a selection what does not belong on the queue. @param types null: everything does. */
export function narrowed(selection: ReplaySelection, types: readonly string[] | null): ReplaySelection {
  if (types === null) return selection;
  return { ...selection, types: selection.types?.filter((type) => types.includes(type)) ?? types };
}
