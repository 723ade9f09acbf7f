import type { Attempt } from "./attempt-table";

/** A consumer's history of one event. */
export interface ConsumerHistory {
  /** The consumer's progress in the log. Undefined if it has never read this log. */
  readonly progress: { readonly position: number; readonly begun: number } | undefined;
  /** The position at which the consumer started in the log, and the event types that it reads. Undefined if not recorded. */
  readonly follows: { readonly start: number; readonly types: readonly string[] } | undefined;
  /** The number of failed attempts and the time of the next one. Undefined if the event does not wait for an attempt. */
  readonly waiting: { readonly attempts: number; readonly dueAt: number } | undefined;
  /** The event's newest dead letter. Undefined if there is none. */
  readonly dead: { readonly reason: string; readonly lastFailure: string } | undefined;
  /** Time at which the event was recorded as handled, in milliseconds since 1970. Undefined if it was not. */
  readonly inboxAt: number | undefined;
  /** The recorded attempts, oldest first. Only attempts on events that have failed are recorded, and only the newest are kept. */
  readonly attempts: readonly Attempt[];
}
