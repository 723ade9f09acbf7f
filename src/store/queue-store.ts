import type { NewReplay, ReplayProgress, ReplayRow } from "./replay";

export interface QueueSubscription {
  readonly queue: string;
  readonly types: readonly string[];
  /** When its consumer has announced it last, in milliseconds since 1970; 0: before that was noted. */
  readonly announcedAt: number;
  /** When the last announcement with a signature was made, in milliseconds since 1970. Null: there was none. */
  readonly signedAt: number | null;
}

/** An announcement that was not believed. */
export interface Refusal {
  /** As whoever has sent it says. */
  readonly queue: string;
  readonly problem: string;
  /** How many there were, since the API has started. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly lastAt: number;
}

/** A queue on RabbitMQ in which events of `queue` wait for their next attempt. */
export interface RetryQueue {
  readonly queue: string;
  readonly delayMs: number;
  /** When it is gone unless it is declared again, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The part of a store that is about queues. */
export interface QueueStore {
  /** The queues that consumers have said are theirs, with the event types that belong on them. */
  readonly subscriptions: {
    /** Without types: the queue was removed. */
    save(subscription: QueueSubscription): Promise<void>;
    /** Also one that was removed. */
    find(queue: string): Promise<QueueSubscription | undefined>;
    list(): Promise<QueueSubscription[]>;
    forget(queues: readonly string[]): Promise<void>;
    /** Forgets those that were removed before a time, in milliseconds since 1970. */
    forgetRemoved(before: number): Promise<void>;
  };
  /** The queues for retries that consumers have said they use. */
  readonly retryQueues: {
    save(retryQueue: RetryQueue): Promise<void>;
    /** Forgets those of a queue. */
    remove(queue: string): Promise<void>;
    /** Those that are not gone at `now`, in milliseconds since 1970. */
    list(now: number): Promise<RetryQueue[]>;
  };
  /** Announcements that were not believed, the latest only. */
  readonly refusals: {
    save(refusal: Refusal): Promise<void>;
    /** Those after a time, in milliseconds since 1970; the newest first. */
    list(since: number): Promise<Refusal[]>;
  };
  readonly replays: {
    add(replay: Omit<NewReplay, "logId">): Promise<void>;
    get(id: string): Promise<ReplayRow | undefined>;
    unfinished(): Promise<ReplayRow[]>;
    save(id: string, progress: ReplayProgress): Promise<void>;
    list(limit: number): Promise<ReplayRow[]>;
  };
}
