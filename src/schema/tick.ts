import type { Event } from "./event";
import { tickType } from "./tick-type";

/** The event that the time of a schedule has come. */
export interface Tick extends Event {
  readonly type: typeof tickType;
  readonly schedule: {
    readonly id: number;
    /** Name of the schedule: that of its consumer's queue. */
    readonly name: string;
    /** The time that has come, in ISO 8601 and UTC. The event itself may be later, if nothing ran then. */
    readonly dueAt: string;
  };
}

export function isTick(event: Pick<Event, "type">): event is Tick {
  return event.type === tickType;
}

/** Returns whether a queue may get an event: that of a schedule is for its queue only. */
export function isForQueue(queue: string, entry: { readonly type: string; readonly body: string }): boolean {
  return [undefined, queue].includes(queueOfTick(entry));
}

/**
 * Returns the queue of the schedule whose event this is. Undefined for the event of a resource.
 *
 * @param entry an entry of the log.
 */
export function queueOfTick(entry: { readonly type: string; readonly body: string }): string | undefined {
  return entry.type === tickType ? (JSON.parse(entry.body) as Tick).schedule.name : undefined;
}
