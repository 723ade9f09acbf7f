import { type ConsumerTimeline, isoTime, recordedAsHandled, type Told, timelineAttempts } from "../delivery/timeline";
import { utcTimeIn } from "../schema/time";
import type { ConsumerHistory } from "../store/consumer/history";
import { atOnce } from "../store/consumer/waiting-table";
import type { EventRecord } from "../store/store";

/**
 * Returns the history of an event at a consumer that reads the log itself, from the consumer's store. Returns undefined if
 * the consumer has never read this log and its file does not mention the event.
 */
export function embeddedTimeline(queue: string, event: EventRecord, history: ConsumerHistory): ConsumerTimeline | undefined {
  const told = tellEmbedded(event, history);
  return told && { queue, ...told, attempts: timelineAttempts(history.attempts) };
}

function tellEmbedded(event: EventRecord, history: ConsumerHistory): Told | undefined {
  const { progress, follows, waiting, dead } = history;
  if (waiting) {
    return {
      state: waiting.attempts > 0 ? "retrying" : "waiting",
      at: null,
      note: waiting.dueAt === atOnce ? "due now" : `due at ${isoTime(waiting.dueAt)}`,
    };
  }
  if (dead) return { state: "dead-letter", at: utcTimeIn(dead.lastFailure), note: dead.reason };
  const handled = recordedAsHandled(history);
  if (handled) return handled;
  if (history.attempts.at(-1)?.outcome === "dead-letter")
    return { state: "unknown", at: null, note: "it was a dead letter and was removed" };
  if (!progress) return undefined;
  if (follows && !follows.types.includes(event.type)) return { state: "skipped", at: null, note: "it does not subscribe to this type" };
  if (follows && follows.start >= event.position) {
    return { state: "skipped", at: null, note: "it started after this event; replayed events are not recorded" };
  }
  if (progress.position >= event.position) {
    return { state: "handled", at: null, note: "the time is recorded only with exactlyOnce or after a failure" };
  }
  return { state: "waiting", at: null, note: progress.begun >= event.position ? "it may be in progress" : null };
}
