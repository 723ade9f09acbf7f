import type { Event } from "../schema/event";
import type { RelatedEvent } from "../store/cause";
import type { Attempt } from "../store/consumer/attempt-table";
import type { ConsumerHistory } from "../store/consumer/history";
import type { EventRecord } from "../store/store";
import type { TransportName } from "./transport";

/** Known history of an event. Times are ISO 8601 in UTC. */
export interface Timeline {
  readonly id: string;
  readonly type: string;
  /** Id of the record that the event is about. */
  readonly subject: number;
  readonly position: number;
  readonly traceparent: string | null;
  readonly transport: TransportName;
  /** Request that made the change. Its fields are null if not known, such as for events from before they were recorded. */
  readonly request: { readonly id: string | null; readonly at: string | null; readonly actor: string | null };
  /** Time within the commit. The commit was on disk some milliseconds later. */
  readonly committedAt: string;
  readonly broker: {
    /** `none`: RabbitMQ does not have the event and is not expected to get it. */
    readonly state: "confirmed" | "pending" | "none";
    /** Latest time at which the confirm arrived. Null if it has not, or if the time was not recorded. */
    readonly confirmedBy: string | null;
  };
  /** The events that led to this one, each caused by the next: the event whose handler made the change comes first. */
  readonly causes: readonly RelatedEvent[];
  /** The events that handlers of this one have caused, in commit order. At most 100. */
  readonly caused: readonly RelatedEvent[];
  readonly consumers: readonly ConsumerTimeline[];
}

export const consumerStates = ["handled", "waiting", "retrying", "dead-letter", "skipped", "unknown"] as const;

export interface ConsumerTimeline {
  readonly queue: string;
  readonly state: (typeof consumerStates)[number];
  /** Time at which this state began. Null if not known. */
  readonly at: string | null;
  /** Further information, such as why something is not known. */
  readonly note: string | null;
  /** Recorded attempts on an event that failed at least once, oldest first. Old attempts may be missing. */
  readonly attempts: readonly TimelineAttempt[];
}

/** The part of a {@link ConsumerTimeline} that each transport decides for itself. */
export type Told = Pick<ConsumerTimeline, "state" | "at" | "note">;

export interface TimelineAttempt {
  /** Number of the attempt, from 1. Starts at 1 again after a redrive. */
  readonly attempt: number;
  readonly at: string;
  readonly outcome: Attempt["outcome"];
  /** Why the event was given up. Null if it was not. */
  readonly reason: string | null;
  readonly error: string | null;
  /** When the next attempt is due. Null if none is. */
  readonly nextAt: string | null;
}

export function timelineOf(
  record: EventRecord,
  transport: TransportName,
  related: Pick<Timeline, "causes" | "caused">,
  consumers: readonly ConsumerTimeline[],
): Timeline {
  const { id, type, subject, position, traceparent, timestamp } = record;
  const unconfirmed = transport === "embedded" ? "none" : "pending";
  return {
    id,
    type,
    subject,
    position,
    traceparent,
    transport,
    request: { id: record.requestId, at: isoTime(record.requestedAt), actor: (JSON.parse(record.body) as Event).actor ?? null },
    committedAt: timestamp,
    broker: { state: record.relayed ? "confirmed" : unconfirmed, confirmedBy: record.relayed ? isoTime(record.relayedAt) : null },
    ...related,
    consumers,
  };
}

/** Returns that a consumer has handled an event, by its last attempt or its inbox. Returns undefined if neither says so. */
export function recordedAsHandled({ attempts, inboxAt }: Pick<ConsumerHistory, "attempts" | "inboxAt">): Told | undefined {
  const last = attempts.at(-1);
  const isInInbox = inboxAt !== undefined && inboxAt >= (last?.at ?? 0);
  const at = last?.outcome === "handled" ? last.at : isInInbox ? inboxAt : undefined;
  return at === undefined ? undefined : { state: "handled", at: isoTime(at), note: null };
}

export function timelineAttempts(attempts: readonly Attempt[]): TimelineAttempt[] {
  return attempts.map(({ dueAt, at, ...rest }) => ({ ...rest, at: new Date(at).toISOString(), nextAt: isoTime(dueAt) }));
}

export function isoTime(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : new Date(at).toISOString();
}
