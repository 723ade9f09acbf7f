import type { LogReader } from "./log";
import type { QueueSubscription, Refusal, RetryQueue } from "./queue-store";
import type { RelayTrouble } from "./relay-trouble";
import type { ReplayRow } from "./replay";
import type { Schedules } from "./schedules";
import type { Store } from "./store";
import type { TimerReads } from "./timers";

/** One of several processes that serve a database together. */
export interface ApiProcess {
  readonly host: string;
  readonly pid: number;
  /** Tasks that it does for all: `relay` sends events to RabbitMQ, `retention` prunes the log, `log` adds partitions to it. */
  readonly leads: readonly string[];
}

/** Reads the API's event log from another process. */
export interface LogFollower extends LogReader {
  /** Resolves with the queues announced by consumers. */
  queues(): Promise<string[]>;
  /** Resolves with the queues announced by consumers, with the event types bound to them. */
  subscriptions(): Promise<QueueSubscription[]>;
  /** Resolves with the schedules of consumers, sorted by queue. */
  readonly schedules: Schedules["list"];
  /** Resolves with the retry queues announced by consumers that have not expired at `now`, in milliseconds since 1970. */
  retryQueues(now: number): Promise<RetryQueue[]>;
  /** Resolves with a replay or fill that the API makes on RabbitMQ, or with undefined if there is none with this id. */
  replay(id: string): Promise<ReplayRow | undefined>;
  /** Resolves with the announcements refused after a time, in milliseconds since 1970, newest first. */
  refusals(since: number): Promise<Refusal[]>;
  /** Resolves with the last stored position up to which RabbitMQ has confirmed all events. It may lag slightly while events are sent. */
  relayed(): Promise<number>;
  /** Resolves with what hinders the relay, as {@link Store} keeps it, or with null. */
  relayTrouble(): Promise<RelayTrouble | null>;
  /** Resolves with the event that has this id, or with undefined if there is none. */
  readonly find: Store["find"];
  /** Resolves with the events that an event has caused, as {@link Store} does. */
  readonly causedBy: Store["causedBy"];
  /** Reads the events that the API publishes later. */
  readonly timers: TimerReads;
  /** Resolves with the API processes that run now. Null if there can be only one, of which the log does not know. */
  processes(): Promise<readonly ApiProcess[] | null>;
  /** Identifies this log, so that a position in another log is not mistaken for one in this log. */
  readonly logId: Store["logId"];
  /** Returns whether the database was removed or replaced. */
  isReplaced(): boolean;
  /** Tells of commits by calling `tell`, until the follower is closed. Replaces any earlier notifier. */
  notifier(tell: () => void): Notifier;
  close(): void;
}

/**
 * Tells a reader of the log that another process has committed. A notice can come late or be lost, so the reader also looks for
 * itself, after pauses whose length the notifier knows.
 */
export interface Notifier {
  /** Returns whether anything may have been committed since the previous call. It takes microseconds. */
  changed(): boolean;
  /**
   * Returns how long to wait for a notice before calling `changed`, in milliseconds. It grows while nothing is committed.
   *
   * @param onlyCommits whether nothing else is awaited, so that the pause may be long.
   */
  pauseMs(onlyCommits: boolean): number;
}
