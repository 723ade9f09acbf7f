import type { Filters } from "../domain/filter";
import type { EventData, Recorded, Resource } from "../domain/resource";
import type { EventRecord } from "./event-record";
import type { CommitTally } from "./group-commit";
import type { QueueStore } from "./queue-store";
import type { RecordsCheck } from "./record-checks";
import type { RelayTrouble } from "./relay-trouble";

type ResourceOf<Fields extends object, Data extends EventData = EventData> = Resource<string, string, Fields, Filters, Data>;

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

/** Which events of a part of the log. */
export interface Scan {
  /** Null: of any type. */
  readonly types: readonly string[] | null;
  /** The id of the record that they are about; null: of any. */
  readonly subject: number | null;
  /** Maximum number of events. */
  readonly limit: number;
  /** Stops before that with the event whose body reaches this many characters in all. */
  readonly maxLength: number;
}

export interface Scanned {
  readonly entries: LogEntry[];
  /** How far the log was looked through: up to here nothing that was asked for is left out. */
  readonly position: number;
}

/** Reads the events that are committed. */
export interface LogReader {
  /** Up to `limit` events after `position`, in commit order. */
  read(position: number, limit: number): Promise<LogEntry[]>;
  /**
   * Those of the events after `position` that are asked for, in commit order. Looks through a bounded part of the log,
   * however long that is: so there may be fewer than there are, even none.
   */
  scan(position: number, scan: Scan): Promise<Scanned>;
  /** The position of the newest event; 0 for an empty log. */
  end(): Promise<number>;
  /** The position up to which every event was pruned; 0: none was. */
  pruned(): Promise<number>;
  /** The position of the last event from before a time (ISO 8601, UTC). As exact as the clock that made the times was steady. */
  positionBefore(time: string): Promise<number>;
}

/** By what a list is in order; records with the same time are in the order of their ids. */
export const sortKeys = ["id", "createdAt", "updatedAt"] as const;
export type SortKey = (typeof sortKeys)[number];

/** A place in a list: that of a record, whether or not it is still there. */
export interface Place {
  /** What the record had in the field that the list is sorted by. */
  readonly key: string | number;
  readonly id: number;
}

/** Which records of a list are wanted, and in what order. */
export interface Listing {
  /** How many at most. */
  readonly limit: number;
  /** Default: `id`. */
  readonly sort?: SortKey;
  readonly descending?: boolean;
  /** Only what comes after this place. */
  readonly after?: Place | undefined;
  /** Only what was changed then (ISO 8601, UTC) or later. */
  readonly updatedSince?: string | undefined;
  /** By the resource's own filters; all must match. */
  readonly filters?: Readonly<Record<string, Prefix | Range>>;
}

/** Text that begins so: by code points, upper and lower case being different, and with no wildcards. */
export interface Prefix {
  readonly prefix: string;
}

/** A number from `min` to `max`, both included. */
export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** What was found of a list, and where to go on; null: there is no more. */
export interface Page {
  readonly rows: readonly Stored[];
  readonly next: Place | null;
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

/** The store cannot take or give anything now: disk full, locked, broken. Nothing was changed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** The file of the store was removed, or another one is in its place: nothing can be written until a restart. */
export class StoreReplaced extends StoreUnavailable {}

/** The answers that are kept for the owner of the key take up all of their room. Nothing was changed. */
export class TooMuchKept extends Error {
  override readonly name = "TooMuchKept";
  /** @param retryAfter in seconds. */
  constructor(readonly retryAfter: number) {
    super("Too much is kept for this owner's keys");
  }
}

/** The key stands for another change already. Nothing was changed. */
export class KeyReused extends Error {
  override readonly name = "KeyReused";
}
