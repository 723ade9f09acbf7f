import { type Event, resourceName } from "../../../schema/event";
import { laneCount } from "./schema";

/** Returns the lane of an event: that of the record that it is about. */
export function laneOf(body: string): number {
  try {
    const event = JSON.parse(body) as Event & Record<string, { readonly id?: unknown } | undefined>;
    const id = event[resourceName(event.type)]?.id;
    return typeof id === "number" ? id % laneCount : 0;
  } catch {
    return 0;
  }
}
