import { ConversionFailed, convert } from "../schema/convert";
import { type EventType, eventTypesOf, newestVersion } from "../schema/event-type";
import type { Recorded } from "../schema/record";
import type { Resource } from "../schema/resource";
import type { LogEntry } from "./log";
import type { Stored } from "./stored";

/** Reads the events of single records from the log. They stay there after the record is deleted, until they are pruned. */
export interface HistoryReader {
  /**
   * Resolves with the events of a record, newest first. One call searches a bounded part of the log, so it may find none while
   * more follow.
   */
  page(resource: Resource, id: number, page: HistoryPage): Promise<HistoryEntries>;
  /**
   * Resolves with the state that a record had in a version, in the newest version of its schema. Resolves with undefined if the log
   * does not have it.
   */
  version(resource: Resource, id: number, version: number): Promise<Stored | undefined>;
}

export interface HistoryPage {
  /** Only events before this position. Default: all. */
  readonly before?: number | undefined;
  /** Maximum number of events. */
  readonly limit: number;
  /** Stop after the event with which the bodies reach this many characters in total. Default: no limit. */
  readonly maxLength?: number;
}

export interface HistoryEntries {
  readonly entries: readonly LogEntry[];
  /** The `before` of the next page. Null if there are no older events. */
  readonly next: number | null;
}

/**
 * Returns the record in the body of an event, in the newest version of its schema. An event that cannot be converted has it as it was
 * written. Returns undefined if the event has none.
 */
export function recordIn(resource: Resource, { type, body }: Pick<LogEntry, "type" | "body">): Recorded<object> | undefined {
  const event = JSON.parse(body) as { version: number; [key: string]: unknown };
  const as = typesOf(resource).find((each) => each.type === type);
  let { [resource.name]: record } = event;
  try {
    if (as) ({ [resource.name]: record } = convert(as, event, newestVersion(as)));
  } catch (error) {
    if (!(error instanceof ConversionFailed)) throw error;
  }
  return record as Recorded<object> | undefined;
}

/** Event types by resource, since each is compiled once to check what it converts. */
const known = new WeakMap<Resource, readonly EventType[]>();

function typesOf(resource: Resource): readonly EventType[] {
  const types = known.get(resource) ?? eventTypesOf(resource);
  known.set(resource, types);
  return types;
}

/** Returns the record in the body of an event as it would be stored. */
export function storedIn(resource: Resource, entry: Pick<LogEntry, "type" | "body">): Stored | undefined {
  const record = recordIn(resource, entry);
  return record && { id: record.id, version: record.version, json: JSON.stringify(record) };
}
