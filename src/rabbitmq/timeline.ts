import type { DeadLetter } from "../delivery/dead-letters";
import { type ConsumerTimeline, isoTime, recordedAsHandled, type Told, timelineAttempts } from "../delivery/timeline";
import type { ConsumerHistory } from "../store/consumer/history";
import type { EventRecord } from "../store/store";

/** Dead letters of an event, or the reason that they are unknown. */
export type Dead = readonly DeadLetter[] | string;

/**
 * Returns the timeline of an event on a RabbitMQ queue. RabbitMQ does not report messages it no longer has, so the timeline comes from dead
 * letters and the records in the consumer's file.
 *
 * @param history Undefined if the file is not on this machine.
 */
export function rabbitTimeline(queue: string, event: EventRecord, history: ConsumerHistory | undefined, dead: Dead): ConsumerTimeline {
  return { queue, ...tell(event, history, dead), attempts: timelineAttempts(history?.attempts ?? []) };
}

function tell(event: EventRecord, history: ConsumerHistory | undefined, dead: Dead): Told {
  const letter = typeof dead === "string" ? undefined : dead.at(-1);
  if (letter) return { state: "dead-letter", at: letter.lastFailure, note: letter.reason };
  const handled = history && recordedAsHandled(history);
  if (handled) return handled;
  const last = history?.attempts.at(-1);
  if (last?.outcome === "retry") return { state: "retrying", at: null, note: `due at ${isoTime(last.dueAt)}` };
  if (last?.outcome === "dead-letter") {
    if (typeof dead === "string")
      return { state: "dead-letter", at: isoTime(last.at), note: `${last.reason}; it is not known whether it still is one: ${dead}` };
    return { state: "unknown", at: null, note: "it was a dead letter and was redriven or discarded" };
  }
  if (!event.relayed) return { state: "waiting", at: null, note: "RabbitMQ has not confirmed it yet" };
  const known = history
    ? "the consumer's file on this machine records only failures, and none of this event"
    : "this machine has no file of the consumer: nothing has failed yet, or it runs on another machine";
  const given = typeof dead === "string" ? dead : "it is not a dead letter";
  return { state: "unknown", at: null, note: `${given}; RabbitMQ keeps no record of handled events, and ${known}` };
}
