import type { Scalar } from "../schema/paths";
import type { Stored } from "./stored";

/** The sort order of a search by how well the records match. */
export const relevance = "relevance";

/** The maximum count of a list that is exact. */
export const countAtMost = 10_000;

/** The number of newest matches of a search among which {@link relevance} ranks. */
export const rankedAtMost = 1000;

/** A position in a sorted list. The record it was taken from may no longer exist. */
export interface Place {
  /** The record's values in the fields that the list is sorted by. Empty for a list sorted by id. */
  readonly keys: readonly (string | number | null)[];
  readonly id: number;
}

/** Selects and sorts the records of a list. */
export interface Listing {
  /** Maximum number of records. */
  readonly limit: number;
  /**
   * Fields to sort by, each with `-` in front if it is descending: `["id"]`, `["-createdAt"]`, or a declared order of the resource or
   * its reverse. Null comes before all values, and text is compared by code points. Equal records are sorted by id, in the direction
   * of the last field. Default: `["id"]`, and for a search `["-id"]`. A search allows only these and {@link relevance}.
   */
  readonly sort?: readonly string[] | undefined;
  /** Only records after this place in the sorted list. */
  readonly after?: Place | undefined;
  /** Only records last changed at this time (ISO 8601, UTC) or later. */
  readonly updatedSince?: string | undefined;
  /** Values for the resource's own filters, by path. A record must match all of them. */
  readonly filters?: Readonly<Record<string, Condition>> | undefined;
  /**
   * Only records whose text contains all of these words, in any of the resource's search fields. Case and diacritics do not matter.
   * Sorted by relevance, the list is one page of the best among the newest {@link rankedAtMost} matches.
   */
  readonly search?: string | undefined;
  /** True to count the records of the whole list. Default: false. */
  readonly count?: boolean | undefined;
}

/** A condition for the value of a field. Times are compared as instants, with milliseconds, whatever their offset. */
export interface Condition {
  /** The value is one of these. Null stands for a value that is null or missing. */
  readonly exact?: readonly (Scalar | null)[] | undefined;
  /** The value is at least this, for numbers, dates and times. */
  readonly min?: number | string | undefined;
  /** The value is at most this. */
  readonly max?: number | string | undefined;
  /** The text starts with this. Compares code points, is case-sensitive and has no wildcards. */
  readonly prefix?: string | undefined;
  /** The array contains all of these. */
  readonly contains?: readonly Scalar[] | undefined;
}

/** One page of a list. */
export interface Page {
  readonly rows: readonly Stored[];
  /** Where the next page starts. Null on the last page. */
  readonly next: Place | null;
  /** The number of records in the whole list. Undefined unless the listing asks for it. */
  readonly count?: Count | undefined;
}

/** A number of records. */
export interface Count {
  readonly value: number;
  /** False if there are at least `value` records, and perhaps more. */
  readonly isExact: boolean;
}
