import { type Schedule, tickOf, tickOnce } from "../schedules";
import type { EventAppender } from "./event-appender";
import type { OnceIn } from "./once";

/** Publishes the event of a schedule's time, unless that was done before. Resolves with its id. */
export type PublishTick = (schedule: Schedule, dueAt: number) => Promise<string>;

/** Returns a function that publishes the events of schedules. */
export function tickPublisher({ once }: OnceIn, events: EventAppender): PublishTick {
  return (schedule, dueAt) => once(tickOnce(schedule, dueAt), () => events.appendTick(tickOf(schedule, dueAt)));
}
