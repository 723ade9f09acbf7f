import type { Distribution } from "../observe/tally";
import type { Filters } from "../schema/filter";
import type { Recorded } from "../schema/record";
import type { EventData, Resource } from "../schema/resource";
import { KeyReused, StoreUnavailable } from "./errors";
import type { Listing, Page } from "./listing";
import type { LogEntry, LogReader } from "./log";
import type { QueueStore } from "./queue-store";
import type { RelayTrouble } from "./relay-trouble";
import type { RecordsCheck } from "./sqlite/record-checks";
import type { Stored } from "./stored";

type ResourceOf<Fields extends object, Data extends EventData = EventData> = Resource<string, string, Fields, Filters, Data>;

export interface QueueSubscription {
  readonly queue: string;
  readonly types: readonly string[];
}

/** A queue on RabbitMQ in which events of `queue` wait for their next attempt. */
export interface RetryQueue {
  readonly queue: string;
  readonly delayMs: number;
  /** When it is gone unless it is declared again, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What is known of the request that makes a change. */
export interface ChangeContext<Data extends EventData = EventData> {
  readonly traceparent?: string | undefined;
  /** The id of the request, and when it came, in milliseconds since 1970. */
  readonly requestId?: string | undefined;
  readonly requestedAt?: number | undefined;
  /**
   * Custom events of the resource, each with its data, that commit together with the change, after its own event:
   * `{ shipped: { carrier: "DHL" } }`. For data that its schema refuses the change is refused.
   */
  readonly emit?: { readonly [Event in keyof Data]?: Data[Event] } | undefined;
}

export interface GuardedContext<Data extends EventData = EventData> extends ChangeContext<Data> {
  /** Called with the record as it is when its turn comes; what it throws rejects the promise, and nothing is changed. */
  readonly guard?: ((current: Stored) => void) | undefined;
}

/** Lets a change happen once, however often it is asked for. */
export interface Once {
  /** Whose key it is, for what. */
  readonly key: string;
  /** Whose it is alone: what is kept for one is bounded. Default: all who name none share the bound. */
  readonly owner?: string;
  /** Tells what is asked for from anything else under the same key. */
  readonly fingerprint: string;
  /** Numbers the changes of one request, from 0 and in their order. */
  readonly part: number;
}

export interface OnceContext extends ChangeContext {
  readonly once?: Once | undefined;
}

/**
 * Keeps the resources and the event log. Every change commits together with its event; a promise of a change
 * fulfils only when both are on disk.
 *
 * Every method may reject with {@link StoreUnavailable}; one that writes a record or an event, with `InvalidChange` for
 * what no consumer could read: fields or data that their schema refuses, or that JSON would not keep as they are.
 */
export interface Store extends QueueStore {
  insert<Fields extends object, Data extends EventData>(
    resource: ResourceOf<Fields, Data>,
    fields: Fields,
    context?: ChangeContext<Data>,
  ): Promise<Stored>;
  /**
   * Several at once: all, or none. Answers what `answerOf` makes of them. With `once`, that text is kept with them for 24 hours,
   * and is the answer to the same call again, which changes nothing; also to one at the same time.
   *
   * May reject with {@link KeyReused} or {@link TooMuchKept}.
   */
  insertAll<Fields extends object>(
    resource: ResourceOf<Fields>,
    fields: readonly Fields[],
    answerOf: (created: readonly Stored[]) => string,
    context?: OnceContext,
  ): Promise<string>;
  /**
   * Replaces the fields of a record by what `change` makes of the current ones. Undefined: there is no such record.
   * What `change` throws rejects the promise, and nothing is changed. If the fields are the same as before, the record keeps
   * its version and time, and there is no event but those of `emit`.
   */
  update<Fields extends object, Data extends EventData>(
    resource: ResourceOf<Fields, Data>,
    id: number,
    change: (current: Recorded<Fields>) => Fields,
    context?: GuardedContext<Data>,
  ): Promise<Stored | undefined>;
  /** Answers the last state of the record; undefined: there was none. */
  remove<Data extends EventData>(
    resource: ResourceOf<object, Data>,
    id: number,
    context?: GuardedContext<Data>,
  ): Promise<Stored | undefined>;
  get(resource: Resource, id: number): Promise<Stored | undefined>;
  /**
   * A page of records. With a filter it may be short, or empty, and still have a `next`: a page reads a bounded number of
   * records, however many there are.
   */
  list(resource: Resource, listing: Listing): Promise<Page>;

  readonly log: LogReader;
  /** The event with this id. */
  find(id: string): Promise<EventRecord | undefined>;
  /** Tells this log from any other, so that a position in one is not taken for a position in another. */
  readonly logId: string;
  /** What was committed since the store was opened; `appended` counts the events of each type. */
  readonly tally: { readonly commits: CommitTally; readonly appended: ReadonlyMap<string, number> };
  /** Calls back after each commit that added events. Answers how to stop that. */
  onAppend(listener: () => void): () => void;
  /** The position up to which RabbitMQ has confirmed every event. */
  readonly relayed: { load(): Promise<number>; save(position: number): Promise<void> };
  /** What keeps events from RabbitMQ though it is there; null: nothing. */
  readonly relayTrouble: { get(): RelayTrouble | null; save(trouble: RelayTrouble | null): Promise<void> };

  /** Removes events older than `before` (ISO 8601) up to `position`; answers how many. */
  prune(before: string, position: number): Promise<number>;
  /** Finds stored records that are not valid, of the resources whose schema has changed since all were. */
  readonly checkRecords: RecordsCheck;
  /** Whether its file was removed, or another one is in its place. */
  isReplaced(): boolean;
  /** Rejects when the store cannot be written. */
  check(): Promise<void>;
  /** Commits what is under way, then closes. */
  close(): Promise<void>;
}

/** What was committed since the start. */
export interface CommitTally {
  readonly seconds: Distribution;
  readonly changes: Distribution;
  /** Commits that the store could not make. */
  failures: number;
}

/** An event, with what is known of its way here and on to RabbitMQ. */
export interface EventRecord extends LogEntry {
  /** The id of the request that made the change, and when that came, in milliseconds since 1970; null: not known. */
  readonly requestId: string | null;
  readonly requestedAt: number | null;
  /** Whether RabbitMQ has confirmed it, */
  readonly relayed: boolean;
  /** and since when at the latest, in milliseconds since 1970. Null: not yet, or before that was kept. */
  readonly relayedAt: number | null;
}
