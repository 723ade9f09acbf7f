import type { Attempt } from "../store/consumer/attempt-table";
import type { EventRecord } from "../store/store";
import type { Transport } from "./transport-name";

/** What became of an event, as far as it is known. Times are ISO 8601, UTC. */
export interface Timeline {
  readonly id: string;
  readonly type: string;
  /** The id of the record that it is about. */
  readonly subject: number;
  readonly position: number;
  readonly traceparent: string | null;
  readonly transport: Transport["name"];
  /** Null: not known, as of an event from before this was kept. */
  readonly request: { readonly id: string | null; readonly at: string | null };
  /** Within the commit; on disk when it ended, some milliseconds later. */
  readonly committedAt: string;
  readonly broker: {
    /** `none`: no RabbitMQ has it, and none is waited for. */
    readonly state: "confirmed" | "pending" | "none";
    /** The confirm came by then. Null: it did not, or the time was not kept. */
    readonly confirmedBy: string | null;
  };
  readonly consumers: readonly ConsumerTimeline[];
}

export const consumerStates = ["handled", "waiting", "retrying", "dead-letter", "skipped", "unknown"] as const;

export interface ConsumerTimeline {
  readonly queue: string;
  readonly state: (typeof consumerStates)[number];
  /** Since when; null: not known. */
  readonly at: string | null;
  /** What else there is to say, such as why something is not known. */
  readonly note: string | null;
  /** Those of an event that failed at least once, the oldest first, as far as they are kept. */
  readonly attempts: readonly TimelineAttempt[];
}

export interface TimelineAttempt {
  /** Counted anew after a redrive. */
  readonly attempt: number;
  readonly at: string;
  readonly outcome: Attempt["outcome"];
  /** Why it was given up. */
  readonly reason: string | null;
  readonly error: string | null;
  /** When the next attempt is due. */
  readonly nextAt: string | null;
}

export function timelineOf(record: EventRecord, transport: Transport["name"], consumers: readonly ConsumerTimeline[]): Timeline {
  const { id, type, subject, position, traceparent, timestamp } = record;
  const unconfirmed = transport === "embedded" ? "none" : "pending";
  return {
    id,
    type,
    subject,
    position,
    traceparent,
    transport,
    request: { id: record.requestId, at: isoTime(record.requestedAt) },
    committedAt: timestamp,
    broker: { state: record.relayed ? "confirmed" : unconfirmed, confirmedBy: record.relayed ? isoTime(record.relayedAt) : null },
    consumers,
  };
}

export function timelineAttempts(attempts: readonly Attempt[]): TimelineAttempt[] {
  return attempts.map(({ dueAt, at, ...rest }) => ({ ...rest, at: new Date(at).toISOString(), nextAt: isoTime(dueAt) }));
}

export function isoTime(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : new Date(at).toISOString();
}
