import type { Recorded, Resource } from "../domain/resource";
import type { CommitTally } from "./group-commit";
import type { NewReplay, ReplayProgress, ReplayRow } from "./replay-table";

type ResourceOf<Fields extends object> = Resource<string, string, Fields>;

/** A record as it is stored: its JSON goes out as it stands. */
export interface Stored {
  readonly id: number;
  readonly version: number;
  readonly json: string;
}

/** An event as it stands in the log. */
export interface LogEntry {
  /** Its place in commit order: greater than that of every event committed before it. Never used twice. */
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** The id of the record that the event is about. */
  readonly subject: number;
  readonly timestamp: string;
  /** The whole event, as JSON. */
  readonly body: string;
  /** W3C trace context of the request that made the change. */
  readonly traceparent: string | null;
}

/** Reads the events that are committed. */
export interface LogReader {
  /** Up to `limit` events after `position`, in commit order. */
  read(position: number, limit: number): Promise<LogEntry[]>;
  /** The position of the newest event; 0 for an empty log. */
  end(): Promise<number>;
  /** The position of the last event from before a time (ISO 8601, UTC). As exact as the clock that made the times was steady. */
  positionBefore(time: string): Promise<number>;
}

export interface QueueSubscription {
  readonly queue: string;
  readonly types: readonly string[];
}

/** What is known of the request that makes a change. */
export interface ChangeContext {
  readonly traceparent?: string | undefined;
}

/**
 * Keeps the resources and the event log. Every change commits together with its event; a promise of a change
 * fulfils only when both are on disk.
 *
 * Every method may reject with {@link StoreUnavailable}.
 */
export interface Store {
  insert<Fields extends object>(resource: ResourceOf<Fields>, fields: Fields, context?: ChangeContext): Promise<Stored>;
  /**
   * Replaces the fields of a record by what `change` makes of the current ones. Undefined: there is no such record.
   * What `change` throws rejects the promise, and nothing is changed.
   */
  update<Fields extends object>(
    resource: ResourceOf<Fields>,
    id: number,
    change: (current: Recorded<Fields>) => Fields,
    context?: ChangeContext,
  ): Promise<Stored | undefined>;
  /** Answers the last state of the record; undefined: there was none. */
  remove(resource: Resource, id: number, context?: ChangeContext): Promise<Stored | undefined>;
  get(resource: Resource, id: number): Promise<Stored | undefined>;
  /** Up to `limit` records with an id greater than `after`, in the order of their ids. */
  list(resource: Resource, after: number, limit: number): Promise<Stored[]>;

  readonly log: LogReader;
  /** Tells this log from any other, so that a position in one is not taken for a position in another. */
  readonly logId: string;
  /** What was committed since the store was opened; `appended` counts the events of each type. */
  readonly tally: { readonly commits: CommitTally; readonly appended: ReadonlyMap<string, number> };
  /** Calls back after each commit that added events. Answers how to stop that. */
  onAppend(listener: () => void): () => void;
  /** The position up to which RabbitMQ has confirmed every event. */
  readonly relayed: { load(): Promise<number>; save(position: number): Promise<void> };

  /** The queues that consumers have said are theirs, with the event types that belong on them. */
  readonly subscriptions: {
    save(subscription: QueueSubscription): Promise<void>;
    list(): Promise<QueueSubscription[]>;
  };
  readonly replays: {
    add(replay: Omit<NewReplay, "logId">): Promise<void>;
    get(id: string): Promise<ReplayRow | undefined>;
    unfinished(): Promise<ReplayRow[]>;
    save(id: string, progress: ReplayProgress): Promise<void>;
    list(limit: number): Promise<ReplayRow[]>;
  };

  /** Removes events older than `before` (ISO 8601) up to `position`; answers how many. */
  prune(before: string, position: number): Promise<number>;
  /** Rejects when the store cannot be written. */
  check(): Promise<void>;
  /** Commits what is under way, then closes. */
  close(): Promise<void>;
}

/** The store cannot take or give anything now: disk full, locked, broken. Nothing was changed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}
