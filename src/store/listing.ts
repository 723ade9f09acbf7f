import type { Stored } from "./stored";

/** Fields that a list can be sorted by. Records with equal times are sorted by id. */
export const sortKeys = ["id", "createdAt", "updatedAt"] as const;

export type SortKey = (typeof sortKeys)[number];

/** A position in a sorted list. The record it was taken from may no longer exist. */
export interface Place {
  /** The record's value in the field that the list is sorted by. */
  readonly key: string | number;
  readonly id: number;
}

/** Selects and sorts the records of a list. */
export interface Listing {
  /** Maximum number of records. */
  readonly limit: number;
  /** Field to sort by. Default: `id`. */
  readonly sort?: SortKey;
  readonly descending?: boolean;
  /** Only records after this place in the sorted list. */
  readonly after?: Place | undefined;
  /** Only records last changed at this time (ISO 8601, UTC) or later. */
  readonly updatedSince?: string | undefined;
  /** Values for the resource's own filters, by field. A record must match all of them. */
  readonly filters?: Readonly<Record<string, Prefix | Range>>;
}

/** Matches text that starts with `prefix`. Compares code points, is case-sensitive and has no wildcards. */
export interface Prefix {
  readonly prefix: string;
}

/** Matches numbers from `min` to `max`, both inclusive. A missing bound is unlimited. */
export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** One page of a list. */
export interface Page {
  readonly rows: readonly Stored[];
  /** Where the next page starts. Null on the last page. */
  readonly next: Place | null;
}
