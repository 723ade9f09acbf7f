import type { Catalogue } from "../schema/catalogue";
import type { QueueSubscription } from "../store/queue-store";
import type { ReplaySelection } from "./replay-selection";

/**
 * Returns the event types that belong on a RabbitMQ queue: those of the resource that owns the queue, or those that its
 * consumer has announced. Returns null for an unknown queue.
 */
export function typesOnQueue(queue: string, catalogue: Catalogue, subscriptions: readonly QueueSubscription[]): readonly string[] | null {
  const announced = () => subscriptions.find((subscription) => subscription.queue === queue)?.types ?? null;
  return catalogue.ownerOf(queue)?.eventTypes ?? announced();
}

/**
 * Removes from a selection the event types that do not belong on the queue.
 *
 * @param types null: all types belong on it.
 */
export function narrowed(selection: ReplaySelection, types: readonly string[] | null): ReplaySelection {
  if (types === null) return selection;
  return { ...selection, types: selection.types?.filter((type) => types.includes(type)) ?? types };
}
