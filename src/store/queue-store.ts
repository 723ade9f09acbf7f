import type { Leadership } from "./leadership";
import type { NewReplay, ReplayProgress, ReplayRow } from "./replay";

/** A queue that a consumer has announced. */
export interface QueueSubscription {
  readonly queue: string;
  /** Event types bound to the queue. Empty if the queue was removed. */
  readonly types: readonly string[];
  /** Time of its consumer's last announcement, in milliseconds since 1970. 0 if it predates the recording of this time. */
  readonly announcedAt: number;
  /** Time of the last signed announcement, in milliseconds since 1970. Null if there was none. */
  readonly signedAt: number | null;
}

/** A rejected announcement of a queue. */
export interface Refusal {
  /** The queue name in the announcement, which is not verified. */
  readonly queue: string;
  readonly problem: string;
  /** Number of such announcements since the API started. */
  readonly count: number;
  /** Time of the latest one, in milliseconds since 1970. */
  readonly lastAt: number;
}

/** A queue on RabbitMQ in which events of `queue` wait for their next attempt. */
export interface RetryQueue {
  readonly queue: string;
  readonly delayMs: number;
  /** When RabbitMQ deletes the queue unless it is declared again, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The part of a store that keeps data about queues. */
export interface QueueStore {
  /** Queues announced by consumers, with the event types bound to them. */
  readonly subscriptions: {
    /** Adds or replaces a subscription. An empty `types` marks the queue as removed. */
    save(subscription: QueueSubscription): Promise<void>;
    /** Resolves with the subscription, even if its queue was removed, or undefined if there is none. */
    find(queue: string): Promise<QueueSubscription | undefined>;
    list(): Promise<QueueSubscription[]>;
    forget(queues: readonly string[]): Promise<void>;
    /** Deletes the subscriptions of queues removed before a time, in milliseconds since 1970. */
    forgetRemoved(before: number): Promise<void>;
  };
  /** Retry queues announced by consumers. */
  readonly retryQueues: {
    save(retryQueue: RetryQueue): Promise<void>;
    /** Deletes the retry queues of a queue. */
    remove(queue: string): Promise<void>;
    /** Resolves with the retry queues that have not expired at `now`, in milliseconds since 1970. */
    list(now: number): Promise<RetryQueue[]>;
  };
  /** The most recent rejected announcements. */
  readonly refusals: {
    save(refusal: Refusal): Promise<void>;
    /** Resolves with the refusals after a time, in milliseconds since 1970, newest first. */
    list(since: number): Promise<Refusal[]>;
  };
  /** Replays and fills on RabbitMQ. Any process adds and cancels them; the leader of `relay` makes them. */
  readonly replays: {
    add(replay: Omit<NewReplay, "logId">): Promise<void>;
    get(id: string): Promise<ReplayRow | undefined>;
    /** Resolves with the unfinished replays of this log, the oldest first. */
    unfinished(): Promise<ReplayRow[]>;
    /** Resolves as {@link unfinished} does. No earlier leader can save the progress of these replays from now on. */
    takeOver(leadership: Leadership): Promise<ReplayRow[]>;
    /** Saves nothing if the replay has ended, or a later leader has taken it over. */
    save(id: string, progress: ReplayProgress, leadership: Leadership): Promise<void>;
    /** Ends an unfinished replay with an error, whoever leads. */
    end(id: string, finishedAt: string, error: string): Promise<void>;
    /** Resolves with up to `limit` replays, the newest first. */
    list(limit: number): Promise<ReplayRow[]>;
  };
}
