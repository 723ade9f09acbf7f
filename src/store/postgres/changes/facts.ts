import type { Resource } from "../../../schema/resource";
import type { FirstAnswer } from "../../changes/idempotency-keys";
import type { LogEntry } from "../../log";
import type { Stored } from "../../stored";
import { type StoredRow, upToDate } from "../records/stored-row";
import type { Layout } from "./layout";
import { ReadSet } from "./read-set";

export interface RecordKey {
  readonly layout: Layout;
  readonly id: number;
}

/** A record as it is stored. */
export interface RecordRow {
  readonly version: number;
  /** The shape that it is stored in. If it is newer than this program knows, the program must not change the record. */
  readonly shape: number;
  /** In the newest shape that this program knows. Converted when it is asked for, so that what cannot be converted fails only who asks. */
  readonly stored: Stored;
}

export function recordRow(resource: Resource, row: StoredRow): RecordRow {
  const { version, shape } = row;
  let stored: Stored | undefined;
  return {
    version,
    shape,
    get stored() {
      stored ??= upToDate(resource, row);
      return stored;
    },
  };
}

/** A value of a unique key, by the slot of the key. */
export interface ValueKey {
  readonly slot: number;
  readonly value: string;
}

/** The records that refer to a record, by the slot of the reference. */
export interface TargetKey {
  /** The records that refer. */
  readonly layout: Layout;
  readonly slot: number;
  readonly key: string;
  /** Maximum number of ids to read. */
  readonly limit: number;
}

/** Events of a record. */
export interface EventsKey {
  readonly subject: number;
  readonly types: readonly string[];
}

export type NewestEvent = Pick<LogEntry, "id" | "type" | "body">;

export interface ListKey {
  readonly layout: Layout;
  readonly where: object;
  readonly limit: number;
}

/** A stored answer with the text that it was found by. */
export interface AnswerRow {
  readonly number: number;
  readonly answer: string;
}

/** The known part of the database, for a group of changes that run together. */
export class Facts {
  /** Null: there is no record. */
  readonly records = new ReadSet<RecordKey, RecordRow | null>(null);
  /** For each record, true if it exists. */
  readonly presence = new ReadSet<RecordKey, boolean>(true);
  /** The ids of the records that have a value. 0: there is none. */
  readonly holders = new ReadSet<ValueKey, number>(0);
  /** Ascending ids, as many as the limit allows. */
  readonly referrers = new ReadSet<TargetKey, { readonly ids: readonly number[]; readonly limit: number }>({ ids: [], limit: 1 });
  /** Null: there is no answer. */
  readonly answers = new ReadSet<{ readonly key: string; readonly part: number }, FirstAnswer | null>(null);
  /** For each timer, true if it is there. */
  readonly timers = new ReadSet<number, boolean>(true);
  /** The newest event of a record. Null: there is none. */
  readonly newestEvents = new ReadSet<EventsKey, NewestEvent | null>(null);
  /** The ids of all events of a record, in order. */
  readonly events = new ReadSet<EventsKey, readonly string[]>([]);
  /** Null: there are too many records. */
  readonly lists = new ReadSet<ListKey, readonly Stored[] | null>([]);
  /** The stored answers that contain a text. */
  readonly mentions = new ReadSet<string, readonly AnswerRow[]>([]);

  #isInherited = false;

  /** @param isExact whether nothing is assumed. Everything is read then. */
  constructor(readonly isExact: boolean) {}

  /** Begins another run of the changes. */
  begin(): void {
    this.#isInherited = false;
    for (const set of this.#all) set.begin();
  }

  /** Notes that the run has read what an earlier group has written that is not committed. */
  inherit(): void {
    this.#isInherited = true;
  }

  /** False if the run lacks a read, so that it has to be made again. */
  get isComplete(): boolean {
    return !this.#isInherited && this.#all.every(({ missing }) => missing.length === 0);
  }

  /** True if what the run depends on may not have been true at one time: some of it is assumed, or was read by several queries. */
  get isDoubtful(): boolean {
    if (this.isExact) return false;
    const all = this.#all;
    return all.some(({ isSupposed }) => isSupposed) || all.reduce((sum, { uses }) => sum + uses, 0) > 1;
  }

  get #all(): ReadSet<never, never>[] {
    return [
      ...[this.records, this.presence, this.holders, this.referrers, this.answers, this.newestEvents, this.timers],
      ...[this.events, this.lists, this.mentions],
    ] as unknown as ReadSet<never, never>[];
  }
}
